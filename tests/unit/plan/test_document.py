import json
from types import MappingProxyType

from preheat.plan.diff import diff
from preheat.plan.document import deletions, plan_document
from preheat.plan.model import Plan, Resource


def plan_of(desired: list[Resource], observed: list[Resource]) -> Plan:
    return Plan(
        name="ocr",
        stage="dev",
        provider="local",
        digest="sha256:0",
        changes=diff(desired, observed),
        unzipped_bytes=10,
        unzipped_limit=None,
        sizes=MappingProxyType({"code/ocr": 10}),
    )


def test_the_document_of_a_plan_is_json_even_with_read_only_mappings_and_tuples_inside() -> None:
    properties = {"triggers": (MappingProxyType({"cron": "0 * * * *"}),)}
    plan = plan_of([Resource(kind="function", name="ocr", properties=properties)], [])
    document = json.loads(json.dumps(plan_document(plan)))
    assert document["changes"] == [
        {
            "action": "create",
            "kind": "function",
            "name": "ocr",
            "fields": [{"path": "triggers", "before": None, "after": [{"cron": "0 * * * *"}]}],
        }
    ]
    assert document["sizes"] == {"code/ocr": 10}


def test_only_removals_count_as_deletions() -> None:
    old = Resource(kind="trigger", name="uploads", properties={})
    new = Resource(kind="function", name="ocr", properties={})
    assert [change.name for change in deletions(plan_of([new], [old]))] == ["uploads"]
    assert deletions(plan_of([new], [])) == ()
