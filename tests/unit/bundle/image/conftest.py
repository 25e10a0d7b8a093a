from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.images import BASE, Bundles, layer_of
from tests.fakes.registry import Registry, image_of, serving

from preheat.bundle.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def bundles(cache: Cache) -> Bundles:
    return Bundles(cache)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving(Registry()) as registry:
        yield registry


@pytest.fixture
def bench(registry: Registry, cache: Cache, tmp_path: Path) -> Iterator[Bench]:
    image_of(registry, "base", [layer_of(BASE)], config={"config": {"Env": ["PATH=/usr/bin", "LANG=C"]}})
    bench = Bench(registry, cache, tmp_path)
    yield bench
    for each in bench.opened:
        each.__exit__(None, None, None)
