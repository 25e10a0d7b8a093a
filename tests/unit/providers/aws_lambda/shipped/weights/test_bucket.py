from collections.abc import Iterator

import pytest
from tests.fakes.object_store import Cut, Fault, Ignore, Lie, ObjectStore, Refuse, serving

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.weights.bucket import ATTEMPTS, CHUNK, Address, Bucket, address_of
from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials
from preheat_providers.aws_lambda.shipped.weights.listing import Item

CONTENT = bytes(range(256)) * 4096
PATH = "/models/preheat/weights/ff"
ITEM = Item(path="model/m.onnx", key="preheat/weights/ff", bytes=len(CONTENT), sha256="0")


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with serving(ObjectStore({PATH: CONTENT})) as running:
        yield running


class Reader:
    """A bucket over `store` that notes how long it was told to wait."""

    def __init__(self, store: ObjectStore) -> None:
        self.waits: list[float] = []
        address = Address(host=store.host, prefix="/models/", region="us-east-1", tls=False)
        credentials = Credentials(key="AKIA", secret="s", token="t")
        self.bucket = Bucket(address, credentials, timeout_s=5, now=lambda: 0.0, sleep=self.waits.append)

    def read(self, first: int = 0, end: int = len(CONTENT), item: Item = ITEM) -> bytes:
        return b"".join(bytes(chunk) for chunk in self.bucket.read(item, first, end))


@pytest.fixture
def reader(store: ObjectStore) -> Iterator[Reader]:
    made = Reader(store)
    yield made
    made.bucket.close()


def test_a_part_is_asked_for_and_signed(store: ObjectStore, reader: Reader) -> None:
    assert reader.read(1000, 5000) == CONTENT[1000:5000]
    assert store.seen == [(PATH, "bytes=1000-4999")]
    assert store.headers[0]["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIA/19700101/us-east-1/s3"
    )
    assert store.headers[0]["x-amz-security-token"] == "t"


def test_a_part_comes_in_chunks_of_one_buffer(reader: Reader) -> None:
    chunks = [(len(chunk), chunk.obj) for chunk in reader.bucket.read(ITEM, 0, len(CONTENT))]
    assert max(size for size, _ in chunks) <= CHUNK
    assert len({id(buffer) for _, buffer in chunks}) == 1


def test_the_connection_is_kept(store: ObjectStore, reader: Reader) -> None:
    for first in range(0, 5000, 1000):
        reader.read(first, first + 1000)
    assert store.connections == 1


@pytest.mark.parametrize("after", [0, 1, 300_000])
def test_what_broke_off_goes_on_where_it_broke(after: int, store: ObjectStore, reader: Reader) -> None:
    store.faults += [Cut(after), Cut(after)]
    assert reader.read() == CONTENT
    assert [span for _, span in store.seen] == [
        f"bytes={first}-{len(CONTENT) - 1}" for first in (0, after, 2 * after)
    ]


def test_breaking_off_for_ever_is_no_failure_while_there_is_progress(
    store: ObjectStore, reader: Reader
) -> None:
    store.faults += [Cut(50_000)] * (ATTEMPTS + 3)
    assert reader.read() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_store_that_is_asked_too_much_is_asked_again_later(
    status: int, store: ObjectStore, reader: Reader
) -> None:
    store.faults += [Refuse(status)] * (ATTEMPTS - 1)
    assert reader.read() == CONTENT
    assert len(reader.waits) == ATTEMPTS - 1
    assert all(0.1 <= wait <= 3.2 for wait in reader.waits)
    assert reader.waits[-1] > reader.waits[0]


@pytest.mark.parametrize(("asked", "waited"), [("2", 2.0), ("3600", 5.0), ("soon", None)])
def test_it_waits_as_long_as_it_is_told_within_reason(
    asked: str, waited: float | None, store: ObjectStore, reader: Reader
) -> None:
    store.faults.append(Refuse(503, retry_after=asked))
    assert reader.read() == CONTENT
    assert reader.waits[0] == waited if waited else reader.waits[0] < 0.3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Refuse(503), "it answered 503"),
        (Cut(0), "too early"),
        (Lie(honest=True), "asked for bytes 0-1048575/1048576, it sent bytes 1-1048575/1048576"),
        (Ignore(), "it sent None with 1048576 bytes"),
    ],
)
def test_a_store_that_never_answers_well_is_given_up(
    fault: Fault, reason: str, store: ObjectStore, reader: Reader
) -> None:
    store.faults += [fault] * ATTEMPTS
    with pytest.raises(ProviderError, match=f"{ATTEMPTS} times in a row, at byte 0 of 1,048,576") as caught:
        reader.read()
    assert reason in caught.value.message
    assert len(store.seen) == ATTEMPTS


def test_a_store_that_is_not_there_is_given_up() -> None:
    with serving(ObjectStore({})) as gone:
        pass
    with pytest.raises(ProviderError, match="ConnectionRefusedError"):
        Reader(gone).read()


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (403, "AccessDenied", "s3:GetObject"),
        (403, "AccessDenied", "or it was removed"),
        (404, "NoSuchKey", "deploy again"),
        (301, "PermanentRedirect", "another region"),
    ],
)
def test_a_refusal_is_not_asked_again_and_says_what_to_do(
    status: int, code: str, hint: str, store: ObjectStore, reader: Reader
) -> None:
    store.faults.append(Refuse(status, code))
    with pytest.raises(
        ProviderError, match=f"weights model/m.onnx cannot be read: .* answered {status} {code}"
    ) as caught:
        reader.read()
    assert hint in str(caught.value.hint)
    assert len(store.seen) == 1


def test_whoever_stops_reading_leaves_no_half_read_connection(store: ObjectStore, reader: Reader) -> None:
    chunks = reader.bucket.read(ITEM, 0, len(CONTENT))
    next(chunks)
    del chunks
    assert reader.read(0, 10) == CONTENT[:10]
    assert store.connections == 2


@pytest.mark.parametrize(
    ("bucket", "environ", "address"),
    [
        ("models", {"AWS_REGION": "eu-west-1"}, ("models.s3.eu-west-1.amazonaws.com", "/", True)),
        ("a.b", {"AWS_REGION": "eu-west-1"}, ("s3.eu-west-1.amazonaws.com", "/a.b/", True)),
        ("models", {"AWS_REGION": "cn-north-1"}, ("models.s3.cn-north-1.amazonaws.com.cn", "/", True)),
        ("models", {"AWS_ENDPOINT_URL": "http://localhost:5000/"}, ("localhost:5000", "/models/", False)),
        (
            "models",
            {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "https://vpce.example.org/s3"},
            ("vpce.example.org", "/s3/models/", True),
        ),
    ],
)
def test_where_a_bucket_is(bucket: str, environ: dict[str, str], address: tuple[str, str, bool]) -> None:
    found = address_of(bucket, environ)
    assert (found.host, found.prefix, found.tls) == address
