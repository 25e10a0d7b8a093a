import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from preheat import Handler
from preheat.snapshots.graph import Held, held, state_of

WINDOW = ((1_700_000_000.0, 50.0), (1_700_000_005.0, 55.0))


class Model(Handler):
    """A handler to hang things on."""


def handler(**attributes: object) -> Model:
    model = Model()
    vars(model).update(attributes)
    return model


def look(**attributes: object) -> Held:
    return held(handler(**attributes), "/no/code/here")


def paths(found: Held) -> list[str]:
    return [value.path for value in found.values]


def test_containers_are_entered_and_their_paths_can_be_read() -> None:
    assert paths(look(names={"first": ["abcd", (7, "efgh")]})) == [
        "self.names['first'][0]",
        "self.names['first'][1][0]",
        "self.names['first'][1][1]",
    ]


def test_what_contains_itself_ends() -> None:
    loop: list[object] = ["abcd"]
    loop.append(loop)
    assert paths(look(loop=loop)) == ["self.loop[0]"]


def test_instances_of_a_library_are_not_entered_and_those_of_the_user_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("users_own")
    module.__file__ = str(tmp_path / "users_own.py")
    exec("class Part:\n    __slots__ = ('name',)\n\nSIZE = 12345", module.__dict__)  # the user's file
    monkeypatch.setitem(sys.modules, "users_own", module)
    part = module.Part()
    part.name = "abcd"
    found = held(handler(part=part, path=Path("abcd")), str(tmp_path))
    assert paths(found) == ["users_own.SIZE", "self.part.name"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1_700_000_003.25, "clock"),
        (1_700_000_003_250, "clock"),
        (53.5, "clock"),
        (1_600_000_000.0, "value"),
        (0.25, "value"),
        (12, "small"),
        ("abc", "small"),
        ("abcd", "value"),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "id"),
        ("6f9619ff8b86d011b42d00c04fc964ff", "id"),
        (random.Random(1), "generator"),
        (np.random.default_rng(1), "generator"),
        (np.random.RandomState(1), "generator"),
    ],
)
def test_values_are_told_by_their_kind_and_a_digest_alone(value: object, kind: str) -> None:
    (found,) = look(value=value).values
    document = found.document(WINDOW)
    assert document["kind"] == kind
    assert set(document) == {"kind", "digest"}
    assert len(document["digest"]) == 64


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_the_state_of_a_generator_follows_its_seed_and_its_draws(make: type[random.Random]) -> None:
    one, two, other = make(3), make(3), make(4)
    assert state_of(one) == state_of(two) != state_of(other)
    one.random()
    assert state_of(one) != state_of(two)


def test_the_systems_own_randomness_has_no_state() -> None:
    assert state_of(random.SystemRandom()) is None


def test_clients_of_a_cloud_are_known_by_their_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    (item,) = look(client=client).items
    assert (item.path, item.kind) == ("self.client", "client")
