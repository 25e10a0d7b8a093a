"""A push against a registry that works, and against one that does not."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.images import TREES, Bundles
from tests.fakes.registry import Registry, serving

from preheat.bundle.image.blob import Blob, digest_of
from preheat.bundle.image.image import Image
from preheat.bundle.image.push import Pushed, missing_bytes, push_image
from preheat.bundle.image.registry.credentials import anonymous
from preheat.bundle.image.registry.problems import RegistryError
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.transport import ATTEMPTS, Lost
from preheat.errors import BundleError
from preheat.progress import Amount

CHUNK = 64 << 10
NOISE = {"big.bin": os.urandom(150_000).hex()}


@pytest.fixture
def image(bench: Bench, bundles: Bundles) -> Image:
    return bench.image(bundles.make(dependencies=NOISE))


def push(bench: Bench, image: Image, name: str = "app:v1") -> Pushed:
    return push_image(
        image, bench.named(name), registries=bench.registries, report=bench.events.append, chunk=CHUNK
    )


def test_everything_is_there_afterwards_under_its_digest(bench: Bench, image: Image) -> None:
    pushed = push(bench, image)
    media_type, body = bench.registry.manifests["app", "v1"]
    assert (media_type, body) == (image.media_type, image.manifest.data)
    for blob in (*(layer.blob for layer in image.layers), image.config):
        assert ("app", blob.digest) in bench.registry.blobs
    assert str(pushed.reference) == f"{bench.registry.host}/app:v1@{image.digest}"
    assert (pushed.sent, pushed.mounted, pushed.skipped) == (5, 1, 0)


def test_layers_of_a_base_next_door_are_mounted(bench: Bench, image: Image) -> None:
    push(bench, image)
    base = image.layers[0].blob.digest.replace(":", "%3A")
    assert bench.registry.asked(f"POST /v2/app/blobs/uploads/?mount={base}&from=base")


def test_a_registry_that_does_not_mount_gets_the_bytes(bench: Bench, image: Image) -> None:
    bench.registry.mounts = False
    assert push(bench, image).mounted == 0
    assert ("app", image.layers[0].blob.digest) in bench.registry.blobs


def test_a_base_of_another_registry_is_copied(bench: Bench, image: Image) -> None:
    with serving(Registry()) as other:
        to = replace(bench.named("app:v1"), registry=other.host)
        pushed = push_image(image, to, registries=bench.registries, report=bench.events.append)
        assert pushed.sent == 6
        assert ("app", image.layers[0].blob.digest) in other.blobs


def test_what_is_there_is_not_sent_again(bench: Bench, bundles: Bundles, image: Image) -> None:
    push(bench, image)
    edited = bench.image(bundles.make(dependencies=NOISE, code={**TREES["code"], "handler.py": "x = 2"}))
    pushed = push(bench, edited)
    assert (pushed.sent, pushed.skipped) == (2, 4)
    assert pushed.sent_bytes == edited.layers[-1].descriptor.size + edited.config.size


def test_what_a_push_would_have_to_send_is_told_beforehand(
    bench: Bench, bundles: Bundles, image: Image
) -> None:
    edited = bench.image(bundles.make(dependencies=NOISE, code={**TREES["code"], "handler.py": "x = 2"}))
    nowhere = replace(bench.named("new/app:v1"), registry=bench.registry.host)
    assert missing_bytes(image, nowhere, registries=bench.registries) == image.bytes
    push(bench, image)
    bench.registry.seen.clear()
    assert missing_bytes(image, bench.named("app:v1"), registries=bench.registries) == 0
    assert not bench.registry.asked("HEAD /v2/app/blobs")
    expected = edited.layers[-1].descriptor.size + edited.config.size
    assert missing_bytes(edited, bench.named("app:v1"), registries=bench.registries) == expected
    assert push(bench, edited).sent_bytes == expected


def test_an_image_that_is_there_costs_no_question_about_its_layers(bench: Bench, image: Image) -> None:
    push(bench, image)
    bench.registry.seen.clear()
    assert push(bench, image).sent == 0
    assert {line.split()[0] for line in bench.registry.seen} == {"GET", "HEAD"}
    assert not bench.registry.asked("HEAD /v2/app/blobs")


def test_a_registry_that_has_something_else_under_the_digest_is_asked_for_every_layer(
    bench: Bench, image: Image
) -> None:
    """What stands there was damaged, or belongs to nobody: no layer is there because of it."""
    bench.registry.manifests["app", image.digest] = image.media_type, b'{"schemaVersion": 2}'
    assert push(bench, image).skipped == 0
    assert {("app", layer.blob.digest) for layer in image.layers} <= bench.registry.blobs.keys()
    assert bench.registry.manifests["app", image.digest][1] == image.manifest.data


def test_a_second_tag_of_it_is_one_manifest(bench: Bench, image: Image) -> None:
    push(bench, image)
    bench.registry.seen.clear()
    push(bench, image, "app:v2")
    assert [line for line in bench.registry.seen if line.startswith(("PUT", "POST"))] == [
        "PUT /v2/app/manifests/v2"
    ]


def test_a_large_layer_goes_in_chunks(bench: Bench, image: Image) -> None:
    push(bench, image)
    size = next(layer for layer in image.layers if layer.name == "dependencies").descriptor.size
    assert len(bench.registry.asked("PATCH")) == -(-size // CHUNK) > 1


def test_an_upload_that_breaks_goes_on_where_it_broke(bench: Bench, image: Image) -> None:
    bench.registry.cuts = [10, 10, 10, 10, 10, 1000]
    push(bench, image)
    assert bench.registry.manifests["app", "v1"][1] == image.manifest.data
    assert bench.registry.asked("GET /v2/app/blobs/uploads")


@pytest.mark.parametrize("forgets", [False, True])
def test_uploads_that_break_again_and_again_still_arrive(bench: Bench, image: Image, forgets: bool) -> None:
    bench.registry.cuts, bench.registry.forgets = [70_000] * 6, forgets
    push(bench, image)
    for layer in image.layers:
        assert ("app", layer.blob.digest) in bench.registry.blobs


def test_an_upload_that_always_breaks_ends_with_an_error(bench: Bench, image: Image) -> None:
    bench.registry.cuts = [0] * 1000
    with pytest.raises(Lost, match=r"cannot be reached|broke off"):
        push(bench, image)
    assert ("app", "v1") not in bench.registry.manifests
    assert len(bench.registry.asked("PATCH")) <= ATTEMPTS


def test_a_download_that_breaks_goes_on_where_it_broke(bench: Bench, image: Image) -> None:
    bench.registry.reads = [100, 1, 50]
    with serving(Registry()) as other:
        to = replace(bench.named("app:v1"), registry=other.host)
        push_image(image, to, registries=bench.registries, report=bench.events.append)
        assert ("app", image.layers[0].blob.digest) in other.blobs


@pytest.mark.parametrize("ranges", [True, False])
def test_a_base_that_sends_another_content_is_found_out_before_the_upload_is_closed(
    bench: Bench, image: Image, ranges: bool
) -> None:
    bench.registry.content = bytes(image.layers[0].blob.size)
    bench.registry.ranges = ranges
    with serving(Registry()) as other:
        to = replace(bench.named("app:v1"), registry=other.host)
        with pytest.raises(BundleError, match="whoever sent it is broken or lies"):
            push_image(image, to, registries=bench.registries, report=bench.events.append)
        assert ("app", "v1") not in other.manifests


def test_a_damaged_cache_is_found_out(bench: Bench, image: Image) -> None:
    path = next((bench.cache.root / "images").glob("*.tar.gz"))
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(BundleError, match="is damaged") as caught:
        push(bench, image)
    assert f"rm {path}" in str(caught.value.hint)


def test_a_registry_that_lies_about_a_digest_is_found_out(bench: Bench, image: Image) -> None:
    bench.registry.claims = f"sha256:{'f' * 64}"
    with pytest.raises(RegistryError, match="sha256:ffff") as caught:
        push(bench, image)
    assert "Do not use that image" in str(caught.value.hint)


def test_a_throttled_push_waits_as_long_as_it_is_told(bench: Bench, image: Image) -> None:
    bench.registry.busy = 2
    push(bench, image)
    assert bench.slept == [7.0, 7.0]


def test_without_a_word_of_how_long_the_waits_grow(bench: Bench, image: Image) -> None:
    bench.registry.busy, bench.registry.retry_after = 3, None
    push(bench, image)
    assert bench.slept == [0.5, 1.0, 2.0]


def test_a_registry_that_throttles_for_ever_ends_the_push(bench: Bench, image: Image) -> None:
    bench.registry.busy = 10_000
    with pytest.raises(RegistryError, match="429") as caught:
        push(bench, image)
    assert caught.value.status == 429
    assert len(bench.slept) == ATTEMPTS - 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((403, "DENIED", "requested access is denied"), "account may use that repository"),
        ((404, "NAME_UNKNOWN", "no such repository"), "made first"),
        ((400, "TAG_INVALID", "tag is immutable"), "Choose another one"),
    ],
)
def test_a_refusal_is_told_in_the_registrys_words_with_the_fix(
    bench: Bench, image: Image, refusal: tuple[int, str, str], words: str
) -> None:
    bench.registry.refusals = {"POST /v2/app": refusal, "PUT /v2/app": refusal}
    with pytest.raises(RegistryError, match=refusal[2]) as caught:
        push(bench, image)
    assert words in str(caught.value.hint)


def test_what_is_no_registry_is_told(bench: Bench, image: Image) -> None:
    bench.registry.refusals = {"GET /v2/": (404, "", "")}
    with pytest.raises(RegistryError, match="it is no image registry"):
        push(bench, image)


def test_progress_ends_at_all_bytes(bench: Bench, image: Image) -> None:
    bench.registry.cuts = [70_000, 10]
    push(bench, image)
    amounts = [event for event in bench.events if isinstance(event, Amount) and event.stage == "push"]
    assert (amounts[-1].done, amounts[-1].total) == (amounts[-1].total, image.bytes)


GATE_S = 10
"""How long a blob waits for what a right push does at once."""


class Watched(Registries):
    """Registries that tell when they are stopped."""

    def __init__(self) -> None:
        super().__init__(anonymous)
        self.told = threading.Event()

    def stop(self) -> None:
        super().stop()
        self.told.set()


@dataclass(frozen=True, slots=True)
class Gated:
    """Content whose first piece is followed by `between`."""

    content: bytes
    between: Callable[[], object]

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        yield self.content[offset : offset + 1]
        self.between()
        yield self.content[offset + 1 : offset + length]


def with_layers(image: Image, *blobs: Blob) -> Image:
    return replace(image, layers=tuple(replace(image.layers[0], blob=blob) for blob in blobs))


@pytest.mark.parametrize("error", [BundleError("This layer is gone."), KeyboardInterrupt()])
def test_a_failure_and_ctrl_c_end_the_uploads_under_way(
    bench: Bench, image: Image, error: BaseException
) -> None:
    begun = threading.Event()

    def slow() -> None:
        begun.set()
        registries.told.wait(GATE_S)

    def broken() -> None:
        begun.wait(GATE_S)
        raise error

    large = Gated(bytes(CHUNK), slow)
    with Watched() as registries, pytest.raises(type(error)):
        push_image(
            with_layers(image, large, Gated(b"small", broken)),
            bench.named("app:v1"),
            registries=registries,
            report=bench.events.append,
        )
    assert ("app", large.digest) not in bench.registry.blobs
    assert ("app", "v1") not in bench.registry.manifests


def test_a_push_to_a_registry_that_states_no_digests_works(bench: Bench, image: Image) -> None:
    bench.registry.states = False
    push(bench, image)
    assert bench.registry.manifests["app", "v1"][1] == image.manifest.data
    assert push(bench, image).sent == 0
