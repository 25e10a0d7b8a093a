import os
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.entry_points import registry_of
from tests.fakes.provider import InMemoryProvider

from preheat.bundle.cache import Cache


@pytest.fixture
def cache(home: Path) -> Cache:
    """A cache with one old package of 1000 bytes."""
    cache = Cache(home / "cache")
    package = cache.package("old")
    package.mkdir(parents=True)
    (package / "file").write_bytes(bytes(1000))
    os.utime(package, (1, 1))
    return cache


def test_prune_asks_and_says_what_it_freed(cli: CommandLine, cache: Cache) -> None:
    assert cli("prune").code == 2  # nobody is there to agree
    assert cache.package("old").exists()
    outcome = cli("prune", "--yes")
    assert outcome.out.splitlines() == ["1.0 kB removed:", "  - 1 in packages"]
    assert not cache.package("old").exists()
    assert cli("prune").out == "Nothing in the cache is unused.\n"


def test_a_no_leaves_everything(cache: Cache) -> None:
    cli = CommandLine(tty=True)
    assert cli("prune", stdin=b"n\n").code == 1
    assert cache.package("old").exists()


def test_a_dry_run_only_counts(cli: CommandLine, cache: Cache) -> None:
    document = cli("prune", "--dry-run", "--json").document
    assert document == {"dry_run": True, "freed_bytes": 1000, "removed": {"packages": 1}}
    assert cache.package("old").exists()


def test_older_than_decides_what_is_old(cli: CommandLine, cache: Cache) -> None:
    cache.used(cache.package("old"))
    assert cli("prune", "--yes", "--json").document["removed"] == {}
    assert cli("prune", "--older-than", "0s", "--yes", "--json").document["removed"] == {"packages": 1}
    refused = cli("prune", "--older-than", "soon")
    assert (refused.code, "'soon' is no time span" in refused.err) == (2, True)


def test_releases_of_a_provider_that_runs_from_the_cache_are_asked_for_and_no_others(
    root: Path, cache: Cache
) -> None:
    here, cloud = InMemoryProvider("local", runs_from_cache=True), InMemoryProvider("cloud")
    both = CommandLine(registry=registry_of(here, cloud))
    assert both("deploy", "--provider", "cloud").code == 0
    assert both("prune", "--dry-run").code == 0
    assert both("deploy").code == 0
    # The fake build leaves no record, so what the release needs is not known.
    assert "no record of its layers" in both("prune", "--yes").err
    assert cache.package("old").exists()


def test_prune_waits_for_nobody(cli: CommandLine, cache: Cache) -> None:
    with cache.in_use():
        refused = cli("prune", "--yes")
    assert (refused.code, "uses" in refused.err) == (1, True)
