import hashlib
from collections.abc import Generator

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.weights.transfer import Incoming, receive
from preheat.errors import BundleError
from preheat.progress import Amount, Event, quiet

CONTENT = b"abc" * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()


def stream(*chunks: bytes, fail: BaseException | None = None) -> Generator[bytes, None, None]:
    yield from chunks
    if fail is not None:
        raise fail


def left(cache: Cache) -> list[str]:
    return [path.name for path in cache.root.rglob("*") if path.is_file()]


def test_a_blob_is_stored_under_its_own_sum_with_progress(cache: Cache) -> None:
    events: list[Event] = []
    incoming = Incoming(3000, stream(CONTENT[:1000], CONTENT[1000:]))
    assert receive(incoming, label="x", sha256=SUM.upper(), cache=cache, report=events.append) == SUM
    assert cache.blob(SUM).read_bytes() == CONTENT
    assert events == [Amount("bundle", "x", 1000, 3000, "bytes"), Amount("bundle", "x", 3000, 3000, "bytes")]
    assert left(cache) == [SUM]


def test_another_content_is_an_error_with_both_sums_and_nothing_is_kept(cache: Cache) -> None:
    with pytest.raises(BundleError) as caught:
        receive(Incoming(None, stream(b"other")), label="x", sha256=SUM, cache=cache, report=quiet)
    other = hashlib.sha256(b"other").hexdigest()
    assert f"expected sha256 {SUM}" in caught.value.message
    assert f"received sha256 {other}" in caught.value.message
    assert f'sha256 = "{other}"' in str(caught.value.hint)
    assert left(cache) == []


@pytest.mark.parametrize(("total", "said"), [(10, "3 came"), (2, "more came")])
def test_more_or_less_than_was_announced_is_an_error(cache: Cache, total: int, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        receive(Incoming(total, stream(b"abc")), label="x", sha256=None, cache=cache, report=quiet)
    assert left(cache) == []


def test_an_endless_stream_is_cut_at_what_was_announced(cache: Cache) -> None:
    def endless() -> Generator[bytes, None, None]:
        while True:
            yield CONTENT

    with pytest.raises(BundleError, match="more came"):
        receive(Incoming(5000, endless()), label="x", sha256=None, cache=cache, report=quiet)


def test_what_cannot_fit_is_refused_before_it_is_read(cache: Cache) -> None:
    chunks = stream(fail=AssertionError("was read"))
    with pytest.raises(BundleError, match="has less room than that") as caught:
        receive(Incoming(10**18, chunks), label="x", sha256=None, cache=cache, report=quiet)
    assert "PREHEAT_HOME" in str(caught.value.hint)


def test_a_stream_that_breaks_leaves_nothing(cache: Cache) -> None:
    chunks = stream(b"abc", fail=BundleError("broke"))
    with pytest.raises(BundleError, match="broke"):
        receive(Incoming(None, chunks), label="x", sha256=None, cache=cache, report=quiet)
    assert left(cache) == []
