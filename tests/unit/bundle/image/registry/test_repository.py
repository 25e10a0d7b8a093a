import os
import threading
from contextlib import closing

import httpx
import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.patience import PATIENCE_S

from preheat.bundle.image.blob import BytesBlob, digest_of
from preheat.bundle.image.document import Descriptor
from preheat.bundle.image.reference import parse_reference
from preheat.bundle.image.registry.credentials import anonymous
from preheat.bundle.image.registry.problems import RegistryError
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.transport import (
    ATTEMPTS,
    Answer,
    Lost,
    Stopped,
    Transport,
    check_redirect,
)
from preheat.bundle.image.registry.upload import Upload

CONTENT = os.urandom(150_000)
CHUNK = 64 << 10
LIE = f"sha256:{'f' * 64}"


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("offset", "length"), [(0, len(CONTENT)), (1000, 5000)])
def test_a_blob_is_read_on_where_the_connection_broke(
    bench: Bench, ranges: bool, offset: int, length: int
) -> None:
    digest = bench.registry.add("app", CONTENT)
    bench.registry.ranges, bench.registry.reads = ranges, [2000, 1500, 1200]
    bench.registry.seen.clear()
    assert b"".join(bench.repository().read_blob(digest, offset, length)) == CONTENT[offset:][:length]
    assert len(bench.registry.seen) == 4


def test_a_blob_that_never_comes_is_an_error(bench: Bench) -> None:
    digest = bench.registry.add("app", CONTENT)
    bench.registry.reads = [0] * 100
    with pytest.raises(Lost, match=f"broke the connection {ATTEMPTS} times"):
        b"".join(bench.repository().read_blob(digest, 0, 10))


def test_an_upload_goes_on_in_the_same_session_at_the_byte_that_arrived(bench: Bench) -> None:
    bench.registry.cuts = [CHUNK, 30_000]
    moved: list[int] = []
    Upload(bench.repository(), BytesBlob(CONTENT), moved.append, chunk=CHUNK).run()
    assert len(bench.registry.asked("POST")) == 1
    assert moved[:2] == [CHUNK, 30_000]
    assert sum(moved) == len(CONTENT)
    assert bench.registry.blobs["app", BytesBlob(CONTENT).digest] == CONTENT


def test_an_upload_that_the_registry_forgot_begins_anew(bench: Bench) -> None:
    bench.registry.cuts, bench.registry.forgets = [CHUNK, 30_000], True
    moved: list[int] = []
    Upload(bench.repository(), BytesBlob(CONTENT), moved.append, chunk=CHUNK).run()
    assert len(bench.registry.asked("POST")) == 2
    assert moved[:2] == [CHUNK, -CHUNK]
    assert sum(moved) == len(CONTENT)


def test_a_manifest_under_another_digest_is_refused(bench: Bench) -> None:
    bench.registry.manifests["app", LIE] = bench.registry.manifests["base", "latest"]
    with pytest.raises(RegistryError, match=f"should be {LIE}"):
        bench.repository().manifest(LIE)


def test_a_configuration_that_is_not_its_digest_is_refused(bench: Bench) -> None:
    digest = bench.registry.add("app", b"{}")
    bench.registry.content = b"[]"
    with pytest.raises(RegistryError, match="should be"):
        bench.repository().small_blob(Descriptor("", digest, 2))


def test_a_manifest_that_the_registry_changed_while_storing_it_is_found_out(bench: Bench) -> None:
    bench.registry.claims = LIE
    with pytest.raises(RegistryError, match=LIE):
        bench.repository().put_manifest("v1", "application/json", b"{}")


def test_a_blob_of_another_size_is_not_taken_for_the_one_wanted(bench: Bench) -> None:
    digest = bench.registry.add("app", b"12")
    with pytest.raises(RegistryError, match="with 2 bytes, and it has 3"):
        bench.repository().has_blob(digest, 3)


def test_an_endless_document_is_not_read_to_its_end(bench: Bench) -> None:
    digest = bench.registry.add("app", b"{}")
    bench.registry.content = bytes(5 << 20)
    with pytest.raises(RegistryError, match="where none is larger"):
        bench.repository().small_blob(Descriptor("", digest, 2))


def test_a_redirect_never_leaves_https() -> None:
    check_redirect("http://127.0.0.1/a", "http://127.0.0.1/b")
    check_redirect("https://a/x", "https://b/y")
    with pytest.raises(RegistryError, match="http://b/y, which is not https"):
        check_redirect("https://a/x", "http://b/y")


def place_of(location: str, *, registry: str = "registry.example.com:8443") -> str:
    """Return where an upload goes on whose POST was answered with `location`."""
    with Registries(anonymous) as registries:
        repository = registries.to_write(parse_reference(f"{registry}/team/app"))
        asked = f"{repository.transport.address}/v2/team/app/blobs/uploads/"
        return repository.location(Answer(202, httpx.Headers({"Location": location}), b"", asked))


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/v2/up/1?state=x", "https://registry.example.com:8443/v2/up/1?state=x"),
        ("http://registry.example.com:5000/up/1", "https://registry.example.com:8443/up/1"),
        ("http://registry.example.com/up/1", "https://registry.example.com:8443/up/1"),
        ("https://registry.example.com:9443/up/1", "https://registry.example.com:9443/up/1"),
        ("https://storage.example.com/up/1", "https://storage.example.com/up/1"),
    ],
)
def test_an_upload_goes_on_by_https_at_a_registry_whose_proxy_ends_it(location: str, place: str) -> None:
    assert place_of(location) == place


def test_an_upload_never_leaves_https() -> None:
    with pytest.raises(RegistryError, match=r"http://storage\.example\.com/up/1, which is not https"):
        place_of("http://storage.example.com/up/1")
    assert place_of("http://127.0.0.1:9/up", registry="127.0.0.1:5000") == "http://127.0.0.1:9/up"


def test_a_registry_that_states_no_digest_is_asked_for_the_manifest(bench: Bench) -> None:
    bench.registry.states = False
    repository = bench.repository()
    repository.put_manifest("v1", "application/json", b"{}")
    assert repository.digest("v1") == digest_of(b"{}")
    assert repository.digest("v2") is None
    with pytest.raises(RegistryError, match="answered 404"):
        repository.manifest("v2")


def test_a_registry_that_states_no_digest_and_has_something_else_is_found_out(bench: Bench) -> None:
    bench.registry.states = False
    bench.registry.manifests["app", LIE] = "application/json", b"[]"
    assert bench.repository().digest(LIE) == digest_of(b"[]")


def test_a_registry_is_asked_nothing_after_the_stop(bench: Bench) -> None:
    registries = bench.registries
    repository = registries.to_write(bench.named("app"))
    bench.registry.seen.clear()
    registries.stop()
    with pytest.raises(Stopped):
        repository.ping()
    assert bench.registry.seen == []


def test_a_wait_for_a_busy_registry_ends_with_the_stop(bench: Bench) -> None:
    stopped = threading.Event()
    busy = Answer(429, httpx.Headers({"Retry-After": "60"}), b"", "")
    with closing(Transport(bench.named("app"), stopped=stopped)) as transport:
        waiting = threading.Thread(target=transport.wait, args=(1, busy), daemon=True)
        waiting.start()
        stopped.set()
        waiting.join(timeout=PATIENCE_S)
        assert not waiting.is_alive()
