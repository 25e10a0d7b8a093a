from pathlib import Path

from tests.fakes.local import project

from preheat.bundle.model import Bundle, Target
from preheat.plan.diff import diff
from preheat.project.model import HttpTrigger, ObjectCreated, Scaling, Schedule
from preheat_providers.local.options import Options
from preheat_providers.local.resources import desired_resources, read_resource, resource_document

TRIGGERS = (
    HttpTrigger(auth="token"),
    ObjectCreated(name="scan", bucket="in", output="out"),
    Schedule(name="night", cron="0 3 * * *", input={"a": (1, 2)}),
)


def bundle(digest: str = "sha256:1") -> Bundle:
    target = Target(provider="local", platform="x86_64-manylinux_2_28", python="3.11")
    return Bundle(digest=digest, target=target, layers=(), sizes=(), path=Path(), cached=True, contract=None)


def test_what_is_observed_equals_what_was_desired() -> None:
    desired = desired_resources(project(triggers=TRIGGERS), bundle(), Options(buckets={"in": "data"}))
    observed = [read_resource(resource_document(each)) for each in desired]
    assert diff(desired, observed) == ()
    assert [(each.kind, each.name) for each in desired] == [
        ("Function", "demo"), ("Endpoint", "demo"), ("Trigger", "scan"), ("Trigger", "night"),
    ]  # fmt: skip


def test_every_change_of_a_project_shows() -> None:
    before = desired_resources(project(), bundle(), Options())
    changed = [
        desired_resources(project(), bundle("sha256:2"), Options()),
        desired_resources(project(scaling=Scaling(max=9)), bundle(), Options()),
        desired_resources(project(env={"A": "1"}), bundle(), Options()),
        desired_resources(project(secrets={"A": "env:A"}), bundle(), Options()),
        desired_resources(project(), bundle(), Options(), secrets_mark="another"),
        desired_resources(project(), bundle(), Options(private_webhooks=True)),
        desired_resources(project(), bundle(), Options(access_log=True)),
        desired_resources(project(triggers=TRIGGERS), bundle(), Options()),
        desired_resources(project(), bundle(), Options(tls=True)),
        desired_resources(project(), bundle(), Options(zygote="off")),
    ]
    assert all(diff(after, before) for after in changed)


def test_the_value_of_a_variable_shows_as_a_hash_only() -> None:
    one, two = (
        desired_resources(project(env={"KEY": value}), bundle(), Options()) for value in ("hunter2", "other")
    )
    assert "hunter2" not in str(one)
    assert [change.fields[0].path for change in diff(one, two)] == ["env_hash"]
