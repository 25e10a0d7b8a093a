import random
import socket
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from preheat import Handler
from preheat.snapshots.graph import Held, held

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


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's with a handler whose classes hold something."""
    module = ModuleType("users_own")
    module.__file__ = str(tmp_path / "users_own.py")
    monkeypatch.setitem(sys.modules, "users_own", module)
    source = """
import random, socket
from preheat import Handler

class Part:
    token = "efgh"
    class Inner:
        deep = 4321

class Base(Handler):
    run, name = "abcd", "hidden by the class below"

class Model(Base):
    name, drawn = "ijkl", random.Random(3)
    def predict(self, text): return text
"""
    exec(source, module.__dict__)  # the user's file
    return module


def test_what_the_classes_of_a_handler_hold_is_its_own(users: ModuleType) -> None:
    model = users.Model()
    model.run = "of the instance"
    values = {value.path: value.value for value in held(model, str(Path(users.__file__ or "").parent)).values}
    assert values == {
        "self.run": "of the instance",
        "self.name": "ijkl",
        "self.drawn": users.Model.drawn,
        "users_own.Part.token": "efgh",
        "users_own.Part.Inner.deep": 4321,
    }


def test_what_a_class_holds_only_setup_may_have_put_there(users: ModuleType) -> None:
    users.Model.one, users.Part.two = pair = socket.socketpair()
    with pair[0], pair[1]:
        items = held(users.Model(), str(Path(users.__file__ or "").parent)).items
    assert [(item.path, item.kind) for item in items] == [
        ("self.one", "socket"),
        ("users_own.Part.two", "socket"),
    ]


def test_classes_of_libraries_are_not_entered() -> None:
    assert paths(look(kind=Path)) == []


def test_sets_are_values_or_searched_for_what_is_open() -> None:
    one, two = socket.socketpair()
    with one, two:
        found = look(names={"abcd"}, pool={one, "abcd"})
    assert paths(found) == ["self.names"]
    assert [(item.path, item.kind) for item in found.items] == [("self.pool", "socket")]


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


def test_clients_of_a_cloud_are_known_by_their_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    (item,) = look(client=client).items
    assert (item.path, item.kind) == ("self.client", "client")
