from tests.fakes.sagemaker_templates import template

from preheat_providers._aws.stacks import Stack
from preheat_providers.sagemaker.deploying.parameters import has_token, stack_parameters


def stack(**parameters: str) -> Stack:
    return Stack(
        name="s",
        id="i",
        status="CREATE_COMPLETE",
        reason=None,
        template={},
        parameters=parameters,
        outputs={},
        tags={},
    )


def test_the_stack_is_told_what_its_template_asks_for() -> None:
    made = template(secrets={"HUB_TOKEN": "env:HUB_TOKEN"})
    values = stack_parameters(bucket="b", secrets={"HUB_TOKEN": "x"}, token=True, token_sha256="0")
    assert values.keys() == made["Parameters"].keys()


def test_a_token_that_is_there_keeps_its_value() -> None:
    assert not has_token(None)
    assert not has_token(stack(ArtifactBucket="b"))
    assert has_token(stack(TokenSha256="****"))
    values = stack_parameters(bucket="b", secrets={}, token=True, token_sha256=None)
    assert values == {"ArtifactBucket": "b", "TokenSha256": None}
    assert stack_parameters(bucket="b", secrets={}, token=False, token_sha256=None) == {"ArtifactBucket": "b"}
