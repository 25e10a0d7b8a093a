from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.runtime.objects.events import (
    BadEvent,
    ObjectRecord,
    build_event,
    decode_key,
    encode_key,
    read_event,
)

# "Event message structure" of the S3 user guide, with the identities shortened.
FROM_AWS: dict[str, Any] = {
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-west-2",
            "eventTime": "1970-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "172.16.0.1"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "testConfigRule",
                "bucket": {
                    "name": "amzn-s3-demo-bucket",
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": "arn:aws:s3:::amzn-s3-demo-bucket",
                },
                "object": {
                    "key": "red+flower+%281%29.jpg",
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }
    ]
}


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


def record(key: str = "a.png", **changes: Any) -> ObjectRecord:
    values = {"size": 3, "etag": "e" * 32, "version_id": None, "sequencer": "00AB", "time": 1_700_000_000.25}
    return ObjectRecord(bucket="uploads", key=key, **{**values, **changes})


def test_an_event_of_aws_is_read() -> None:
    (found,) = read_event(FROM_AWS)
    assert found.key == "red flower (1).jpg"
    assert found.version == "096fKKXTRTtl3on89fVO.nfljtsv6qko"
    assert (found.bucket, found.size, found.time) == ("amzn-s3-demo-bucket", 1024, 0.0)


def test_a_local_event_has_every_member_that_one_of_aws_has() -> None:
    def shape(value: Any) -> Any:
        return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else type(value)

    (ours,) = build_event(record(version_id="v"), trigger="t")["Records"]
    (theirs,) = FROM_AWS["Records"]
    assert shape(ours) == shape(theirs)
    assert ours["awsRegion"] == "local"
    assert ours["eventTime"] == "2023-11-14T22:13:20.250Z"


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("a b.png", "a+b.png"),
        ("a+b.png", "a%2Bb.png"),
        ("100%.png", "100%25.png"),
        ("a/b:c=d&e?.png", "a/b%3Ac%3Dd%26e%3F.png"),
        ("über/ø.png", "%C3%BCber/%C3%B8.png"),
        ("%20.png", "%2520.png"),
        ("日本.png", "%E6%97%A5%E6%9C%AC.png"),
    ],
)
def test_keys_are_encoded_as_s3_encodes_them(key: str, encoded: str) -> None:
    assert encode_key(key) == encoded
    assert decode_key(encoded) == key


@pytest.mark.parametrize("encoded", ["in%2Fa+b", "in/a%20b", "in/a+b"])
def test_the_encodings_of_other_servers_are_read_alike(encoded: str) -> None:
    assert decode_key(encoded) == "in/a b"


@given(KEYS)
def test_any_key_survives_an_event(key: str) -> None:
    # A key that ends in a slash is what a console makes for a folder, and no object.
    made = record(f"{key}.png")
    assert read_event(build_event(made, trigger="t")) == (made,)


def test_a_test_event_and_other_events_name_no_object() -> None:
    assert read_event({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}) == ()
    (aws,) = FROM_AWS["Records"]
    assert read_event({"Records": [{**aws, "eventName": "ObjectRemoved:Delete"}]}) == ()


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {},
        {"Records": None},
        {"Records": [{}]},
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "%FF", "eTag": "e"}}}]},
    ],
)
def test_what_is_no_event_is_refused(document: object) -> None:
    with pytest.raises(BadEvent):
        read_event(document)


def test_the_event_id_tells_versions_and_objects_apart() -> None:
    records = (record(), record("b.png"), record(etag="f" * 32), record(version_id="v"))
    assert len({each.event_id for each in records}) == 4
    assert record(sequencer="9").event_id == record().event_id
