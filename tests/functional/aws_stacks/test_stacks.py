"""A stack is made, updated, found and deleted, and what it made exists in between.

Nothing here ran against AWS itself. moto gives a stack that came by a change set no outputs, and refuses a
change set without changes at once instead of letting it fail.
"""

import pytest
from botocore.exceptions import ClientError

from preheat.progress import Event, Step, quiet
from preheat_providers._aws.session import Account, Session
from preheat_providers._aws.stacks import StackFailed, Stacks

TAGS = {"preheat:name": "ocr", "preheat:stage": "prod"}
VALUES: dict[str, str | None] = {"Prefix": "team"}


def template(*queues: str) -> dict[str, object]:
    """Return a template with these queues, named with the parameter in front."""
    return {
        "Parameters": {"Prefix": {"Type": "String", "NoEcho": True}},
        "Resources": {
            f"Queue{name.title()}": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": {"Fn::Join": ["-", [{"Ref": "Prefix"}, name]]}},
            }
            for name in queues
        },
        "Outputs": {"Endpoint": {"Value": "https://example.org/"}},
    }


def queues(session: Session) -> set[str]:
    """Return the names of the queues there are."""
    found = session.client("sqs").list_queues().get("QueueUrls", [])
    return {url.rpartition("/")[2] for url in found}


def test_a_stack_lives_from_its_making_to_its_deletion(
    session: Session, stacks: Stacks, request: pytest.FixtureRequest
) -> None:
    name = "preheat-life-prod"
    assert stacks.find(name) is None
    assert stacks.delete(name, report=quiet) == ()

    told: list[Event] = []
    made = stacks.deploy(name, template("a"), parameters=VALUES, tags=TAGS, report=told.append)
    assert (made.name, made.status, made.template) == (name, "CREATE_COMPLETE", template("a"))
    assert made.tags == TAGS
    assert made.outputs == ({} if "moto" in request.node.name else {"Endpoint": "https://example.org/"})
    assert told[-1] == Step("apply", f"{name} CREATE_COMPLETE")
    assert len(told) == len(set(told))
    assert "team-a" in queues(session)

    keep: dict[str, str | None] = {"Prefix": None}
    told.clear()
    updated = stacks.deploy(name, template("a", "b"), parameters=keep, tags=TAGS, report=told.append)
    assert (updated.id, updated.status, updated.template) == (made.id, "UPDATE_COMPLETE", template("a", "b"))
    assert told[0] == Step("apply", f"{name} UPDATE_IN_PROGRESS")
    assert {"team-a", "team-b"} <= queues(session)

    told.clear()
    assert stacks.deploy(name, template("a", "b"), parameters=keep, tags=TAGS, report=told.append) == updated
    assert told == []

    removed = stacks.delete(name, report=told.append)
    assert {what.split(" ")[0] for what in removed} == {"AWS::SQS::Queue"}
    assert sorted(what.rpartition("/")[2] for what in removed) == ["team-a", "team-b"]
    assert stacks.find(name) is None
    assert not {"team-a", "team-b"} & queues(session)


def test_stacks_are_found_by_their_tags(stacks: Stacks) -> None:
    for stage in ("prod", "test"):
        tags = {"preheat:name": "tagged", "preheat:stage": stage}
        stacks.deploy(f"preheat-tagged-{stage}", template(stage), parameters=VALUES, tags=tags, report=quiet)
    assert len(stacks.listed({"preheat:name": "tagged"})) == 2
    (found,) = stacks.listed({"preheat:name": "tagged", "preheat:stage": "test"})
    assert found.name == "preheat-tagged-test"


def test_a_stack_that_waits_for_a_change_set_takes_ours(session: Session, stacks: Stacks) -> None:
    name = "preheat-review-prod"
    session.client("cloudformation").create_change_set(
        StackName=name,
        ChangeSetName="forgotten",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
    )
    waiting = stacks.find(name)
    assert waiting is not None
    assert (waiting.status, waiting.template) == ("REVIEW_IN_PROGRESS", {})
    made = stacks.deploy(name, template("r"), parameters=VALUES, tags=TAGS, report=quiet)
    assert made.id == waiting.id


def test_who_asks_is_known(session: Session) -> None:
    account = session.account()
    assert account == Account(id=account.id, region="us-east-1", partition="aws")
    assert len(account.id) == 12


class TestFailures:
    """With MiniStack only: the URL of a function that does not exist fails, and what was made goes."""

    @pytest.fixture
    def stacks(self, ministack: Session) -> Stacks:
        return Stacks(ministack.client("cloudformation"), sleep=lambda _: None)

    def broken(self) -> dict[str, object]:
        made = template("broken")
        resources = made["Resources"]
        assert isinstance(resources, dict)
        resources["Url"] = {
            "Type": "AWS::Lambda::Url",
            "DependsOn": "QueueBroken",
            "Properties": {"TargetFunctionArn": "nobody", "AuthType": "NONE"},
        }
        return made

    def test_a_creation_that_fails_leaves_nothing_and_the_next_one_works(
        self, ministack: Session, stacks: Stacks
    ) -> None:
        name = "preheat-broken-prod"
        with pytest.raises(StackFailed, match=f"The stack {name} could not be made: Url") as caught:
            stacks.deploy(name, self.broken(), parameters=VALUES, tags=TAGS, report=quiet)
        assert caught.value.hint is not None
        assert stacks.find(name) is None
        assert "team-broken" not in queues(ministack)
        stack = stacks.deploy(name, template("whole"), parameters=VALUES, tags=TAGS, report=quiet)
        assert stack.status == "CREATE_COMPLETE"

    def test_an_update_that_fails_is_put_back(self, ministack: Session, stacks: Stacks) -> None:
        name = "preheat-back-prod"
        before = stacks.deploy(name, template("back"), parameters=VALUES, tags=TAGS, report=quiet)
        with pytest.raises(StackFailed, match="It was put back to what it was before") as caught:
            stacks.deploy(name, self.broken(), parameters=VALUES, tags=TAGS, report=quiet)
        assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
        after = stacks.find(name)
        assert after is not None
        assert (after.id, after.template) == (before.id, template("back"))
        assert "team-broken" not in queues(ministack)

    def test_a_name_that_is_taken_is_found_before_anything_is_made(
        self, ministack: Session, stacks: Stacks
    ) -> None:
        name = "preheat-taken-prod"
        ministack.client("s3").create_bucket(Bucket="taken-by-another")
        taken = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
        taken["Resources"]["Bucket"]["Properties"] = {"BucketName": "taken-by-another"}
        with pytest.raises(StackFailed, match=r"Bucket .*'taken-by-another' already exists") as caught:
            stacks.deploy(name, taken, parameters={}, tags=TAGS, report=quiet)
        assert "another name" in str(caught.value.hint)
        assert stacks.find(name) is None

    def test_a_change_set_that_was_interrupted_is_gone(self, ministack: Session) -> None:
        name = "preheat-interrupted-prod"
        client = ministack.client("cloudformation")

        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        client.meta.events.register("before-call.cloudformation.ExecuteChangeSet", interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                Stacks(client, sleep=lambda _: None).deploy(
                    name, template("never"), parameters=VALUES, tags=TAGS, report=quiet
                )
        finally:
            client.meta.events.unregister("before-call.cloudformation.ExecuteChangeSet", interrupt)
        with pytest.raises(ClientError, match="does not exist"):
            client.describe_stacks(StackName=name)
