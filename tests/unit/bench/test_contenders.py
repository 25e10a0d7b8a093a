"""The catalogue of contenders, their texts, and the command line that chooses among them."""

import tomllib
from collections.abc import Callable

import pytest
from tests.bench.serving.__main__ import FAMILIES, parse
from tests.bench.serving.contenders import GROUPED, NUMERIC, OURS, PEERS, SLOW, Ours, contenders
from tests.bench.serving.room import HERE, Room
from tests.bench.serving.run import Options, Run
from tests.bench.serving.texts import mixed_texts, short_sentences

PROJECT = tomllib.loads((HERE / "ours" / "preheat.toml").read_text())


def test_our_model_runs_on_the_same_numeric_packages_as_the_peers() -> None:
    assert PROJECT["requirements"] == list(NUMERIC)


@pytest.mark.parametrize("ours", [*OURS, GROUPED, SLOW], ids=lambda one: str(one.stage))
def test_every_stage_of_ours_is_in_the_project(ours: Ours) -> None:
    assert ours.stage in PROJECT["stage"]


def test_every_peer_has_its_script() -> None:
    assert all((HERE / "peers" / f"{peer.script}.py").is_file() for peer in PEERS)


def test_no_two_contenders_of_one_work_share_a_name() -> None:
    for work in ("noop", "embedding"):
        names = [one.name for one in contenders("noop" if work == "noop" else "embedding")]
        assert len(names) == len(set(names)) > 8


def test_chosen_peers_come_with_preheat_and_without_the_others() -> None:
    assert [one.name for one in contenders("embedding", frozenset({"litserve"}))] == [
        "litserve-batch",
        "preheat",
    ]


@pytest.mark.parametrize("make", [short_sentences, mixed_texts])
def test_texts_differ_and_are_the_same_on_every_run(make: Callable[[], list[str]]) -> None:
    assert make() == make()
    assert len(set(make())) == len(make())


def test_mixed_texts_have_as_many_words_as_tokens_less_the_marks() -> None:
    words = sorted(len(text.split()) for text in mixed_texts())
    assert words[0] >= 6
    assert words[-1] <= 254
    assert words[-1] > 10 * words[0]


def test_a_peer_that_is_not_installed_takes_part_nowhere() -> None:
    run = Run(Room(), Options(), lambda text: None)
    ray = [peer for peer in PEERS if peer.family == "ray"]
    run.not_installed("ray", "no wheel")
    assert not any(run.takes_part(peer, "noop") for peer in ray)
    assert run.takes_part(PEERS[0], "noop")


def test_a_contender_that_fails_in_one_scenario_takes_part_in_the_others() -> None:
    run = Run(Room(), Options(), lambda text: None)
    run.leave_out(PEERS[0], "noop", "it ended")
    assert not run.takes_part(PEERS[0], "noop")
    assert run.takes_part(PEERS[0], "embedding")


def test_the_command_line_takes_lists() -> None:
    given = parse(["--only", "noop,memory", "--peers", "ray,fastapi"])
    assert (given.only, given.peers) == (("noop", "memory"), ("ray", "fastapi"))
    assert parse([]).peers == ()


def test_an_unknown_peer_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--peers", "flask"])
    said = " ".join(capsys.readouterr().err.split())
    assert "flask" in said
    assert all(family in said for family in FAMILIES)
