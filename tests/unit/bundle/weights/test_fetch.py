import hashlib
import os
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.fakes.webserver import WebServer, serving

from preheat.bundle.cache import Cache
from preheat.bundle.weights.fetch import Fetcher
from preheat.errors import BundleError
from preheat.progress import Amount, Event
from preheat.project.model import Weights

CONTENT = b"weights" * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()
Make = Callable[..., Fetcher]


def local(source: str = "file:x.onnx", sha256: str | None = None) -> Weights:
    return Weights(name="model", source=source, sha256=sha256)


def test_each_entry_is_a_file_below_its_name(make_fetcher: Make, root: Path, cache: Cache) -> None:
    (root / "x.onnx").write_bytes(CONTENT)
    tree, paths = make_fetcher().fetch([local(), Weights(name="again", source="file:x.onnx", sha256=SUM)])
    assert paths == {"model": "model/x.onnx", "again": "again/x.onnx"}
    assert {path: file.sha256 for path, file in tree.items()} == {"model/x.onnx": SUM, "again/x.onnx": SUM}
    assert [path.name for path in (cache.root / "weights").iterdir()] == [SUM]


def test_a_folder_keeps_its_shape(make_fetcher: Make, root: Path) -> None:
    (root / "tokens" / "a").mkdir(parents=True)
    (root / "tokens" / "a" / "b.txt").write_bytes(CONTENT)
    (root / "tokens" / "c.txt").write_bytes(b"c")
    tree, paths = make_fetcher().fetch([local("file:tokens")])
    assert paths == {"model": "model/tokens"}
    assert sorted(tree) == ["model/tokens/a/b.txt", "model/tokens/c.txt"]
    with pytest.raises(BundleError, match="a folder has no sha256"):
        make_fetcher().fetch([local("file:tokens", SUM)])


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_is(make_fetcher: Make, root: Path) -> None:
    (root / "x.onnx").write_bytes(CONTENT)
    events: list[Event] = []
    fetcher = make_fetcher(events.append)
    fetcher.fetch([local()])
    read = len(events)
    assert read
    fetcher.fetch([local()])
    assert len(events) == read
    status = (root / "x.onnx").stat()
    (root / "x.onnx").write_bytes(CONTENT[::-1])
    os.utime(root / "x.onnx", ns=(status.st_atime_ns, status.st_mtime_ns))
    tree, _ = fetcher.fetch([local()])
    assert tree["model/x.onnx"].sha256 != SUM


def test_the_sum_of_a_local_file_is_checked_though_it_was_seen(make_fetcher: Make, root: Path) -> None:
    (root / "x.onnx").write_bytes(CONTENT)
    make_fetcher().fetch([local()])
    with pytest.raises(BundleError, match=f"received sha256 {SUM}"):
        make_fetcher().fetch([local(sha256="0" * 64)])


def test_what_comes_from_elsewhere_needs_a_sum(make_fetcher: Make) -> None:
    with pytest.raises(BundleError, match="has no sha256") as caught:
        make_fetcher().fetch([local("https://example.org/x.onnx")])
    assert "[weights.model]" in str(caught.value.hint)


def test_a_download_is_verified_once_and_then_kept(
    tls: ssl.SSLContext, make_fetcher: Make, cache: Cache
) -> None:
    with serving(WebServer({"/x.onnx": CONTENT}, cuts=[2000]), tls=tls) as server:
        entry = local(f"{server.url}/x.onnx", SUM.upper())
        events: list[Event] = []
        make_fetcher(events.append).fetch([entry])
    assert events[-1] == Amount("bundle", entry.source, 7000, 7000, "bytes")
    tree, _ = make_fetcher().fetch([entry])  # the server is gone
    assert tree["model/x.onnx"].source == cache.blob(SUM)


def test_a_wrong_hash_keeps_nothing(tls: ssl.SSLContext, make_fetcher: Make, cache: Cache) -> None:
    with (
        serving(WebServer({"/x.onnx": b"tampered"}), tls=tls) as server,
        pytest.raises(BundleError, match=f"expected sha256 {SUM}"),
    ):
        make_fetcher().fetch([local(f"{server.url}/x.onnx", SUM)])
    assert not (cache.root / "weights").exists()


def test_two_builds_download_once(tls: ssl.SSLContext, make_fetcher: Make) -> None:
    with serving(WebServer({"/x.onnx": CONTENT}), tls=tls) as server:
        entry = local(f"{server.url}/x.onnx", SUM)
        start = threading.Barrier(3)

        def fetch(_: int) -> None:
            fetcher = make_fetcher()
            start.wait()
            fetcher.fetch([entry])

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(fetch, range(3)))
    assert len(server.seen) == 1
