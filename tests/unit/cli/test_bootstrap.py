from dataclasses import replace

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.provider import InMemoryProvider

from preheat.progress import Report, Step
from preheat.provider.protocol import Bootstrapped, Groundwork

DONE = Bootstrapped(
    provider="local",
    place="account 123456789012, eu-central-1",
    changed=True,
    made={"artifact bucket": "preheat-123456789012-eu-central-1"},
    settings={"permissions_boundary": "arn:aws:iam::123456789012:policy/b"},
    notes=("Deleting keeps the bucket.",),
)


class Cloud(InMemoryProvider):
    """A provider that needs something set up, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__("local")
        self.asked: list[Groundwork] = []

    def bootstrap_template(self) -> str:
        return '{"Resources": {}}\n'

    def bootstrap(self, groundwork: Groundwork, *, report: Report) -> Bootstrapped:
        report(Step("apply", "preheat-bootstrap"))
        self.asked.append(groundwork)
        return replace(DONE, changed=len(self.asked) == 1)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def cli(cloud: Cloud) -> CommandLine:
    return CommandLine(provider=cloud)


def test_it_says_what_is_set_up_and_what_to_write(cli: CommandLine) -> None:
    outcome = cli("bootstrap")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "account 123456789012, eu-central-1: set up",
        "  artifact bucket  preheat-123456789012-eu-central-1",
        "",
        "In preheat.toml:",
        "  [provider.local]",
        '  permissions_boundary = "arn:aws:iam::123456789012:policy/b"',
        "note: Deleting keeps the bucket.",
    ]
    assert "eu-central-1: nothing to change" in cli("bootstrap").out


def test_json_is_one_object(cli: CommandLine) -> None:
    assert cli("bootstrap", "--json").document == {
        "provider": "local",
        "place": "account 123456789012, eu-central-1",
        "changed": True,
        "made": {"artifact bucket": "preheat-123456789012-eu-central-1"},
        "settings": {"permissions_boundary": "arn:aws:iam::123456789012:policy/b"},
        "notes": ["Deleting keeps the bucket."],
    }


def test_what_is_typed_reaches_the_provider(cli: CommandLine, cloud: Cloud) -> None:
    flags = ("--region", "eu-west-1", "--use-bucket", "mine", "--github", "acme/models", "--branch", "main")
    assert cli("bootstrap", *flags).code == 0
    expected = Groundwork(region="eu-west-1", bucket="mine", repository="acme/models", branch="main")
    assert cloud.asked == [expected]


def test_the_template_is_printed_and_nothing_is_set_up(cli: CommandLine, cloud: Cloud) -> None:
    assert cli("bootstrap", "--template").out == '{"Resources": {}}\n'
    assert cloud.asked == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--github", "models"), "'models' is no repository"),
        (("--github", "acme/*"), "'acme/*' is no repository"),
        (("--branch", "main"), "--github OWNER/REPO"),
        (("--github", "acme/m", "--branch", "main", "--environment", "prod"), "one of the two"),
    ],
)
def test_half_an_answer_about_who_may_deploy_is_wrong_use(
    cli: CommandLine, cloud: Cloud, flags: tuple[str, ...], said: str
) -> None:
    outcome = cli("bootstrap", *flags)
    assert (outcome.code, said in outcome.err) == (2, True)
    assert cloud.asked == []


def test_a_provider_that_needs_nothing_says_so() -> None:
    outcome = CommandLine()("bootstrap")
    assert outcome.code == 1
    assert "needs nothing set up" in outcome.err
    assert "preheat deploy --provider local" in outcome.err
