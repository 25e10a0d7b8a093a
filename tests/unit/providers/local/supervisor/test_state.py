import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.fakes.specs import make_spec

from preheat.errors import NotDeployed, ProviderError
from preheat_providers.local.supervisor.state import State


def opened(folder: Path) -> State:
    return State(folder / "state.db", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_what_is_routed_is_there_after_reopening(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        state.set_port(spec.function, 4321)
        state.set_token_hash(spec.function, "abc")
        release = state.add_release(spec)
        state.route(spec.function, release.number)
    with opened(tmp_path) as state:
        row = state.function(spec.function)
        assert (row.port, row.token_hash, row.active, row.canary) == (4321, "abc", 1, None)
        kept = state.release(spec.function, 1)
        assert (kept.spec, kept.created) == (spec, "2026-01-02T03:04:05Z")


def test_a_release_whose_deploy_was_killed_never_serves_and_its_number_is_not_used_again(
    tmp_path: Path,
) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        state.route(spec.function, state.add_release(spec).number)
        state.add_release(replace(spec, digest="sha256:2"))
    with opened(tmp_path) as state:
        assert [release.number for release in state.releases(spec.function)] == [1]
        assert state.drop_unfinished() == ((spec.function, 2),)
        assert state.add_release(spec).number == 3
        state.drop_release(spec.function, 3)
        assert state.add_release(spec).number == 4


def test_a_canary_is_part_of_the_route_and_ends_with_the_next(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        for _ in range(2):
            state.route(spec.function, state.add_release(spec).number)
        state.route(spec.function, 1, canary=2, share=0.25)
        row = state.function(spec.function)
        assert (row.active, row.canary, row.canary_share) == (1, 2, 0.25)
        state.route(spec.function, 2)
        assert state.function(spec.function).canary is None


def test_what_was_active_until_a_release_was_is_remembered(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        for _ in range(3):
            state.add_release(spec)
        found = []
        for active, canary in ((1, None), (2, None), (1, None), (3, None), (3, None), (1, 3), (3, None)):
            state.route(spec.function, active, canary=canary)
            found.append(state.function(spec.function).predecessor)
        assert found == [None, 1, 2, 1, 1, 3, 1]


def test_a_state_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        state.route(spec.function, state.add_release(spec).number)
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("ALTER TABLE functions DROP COLUMN predecessor")
        db.execute("PRAGMA user_version = 1")
    db.close()
    for _ in range(2):
        with opened(tmp_path) as state:
            row = state.function(spec.function)
            assert (row.active, row.predecessor) == (1, None)


def test_removing_a_function_removes_its_releases(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        state.route(spec.function, state.add_release(spec).number)
        state.remove_function(spec.function)
        assert state.functions() == ()
        assert state.releases(spec.function) == ()
        with pytest.raises(NotDeployed, match="'demo' is not deployed at stage 'dev'"):
            state.function(spec.function)


def test_an_unknown_release_is_named_with_those_there_are(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    with opened(tmp_path) as state:
        state.add_function(spec.function)
        state.route(spec.function, state.add_release(spec).number)
        with pytest.raises(ProviderError, match="no release 7; there is: 1"):
            state.release(spec.function, 7)


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_state_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(ProviderError, match="cannot be read") as caught:
        opened(tmp_path)
    assert str(path) in caught.value.message
    assert f"mv {path}" in (caught.value.hint or "")
    assert path.read_bytes() == content


def test_a_state_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ProviderError, match="version 99"):
        opened(tmp_path)
