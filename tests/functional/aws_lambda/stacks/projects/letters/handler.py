from dataclasses import dataclass

import preheat

VERSION = "first"


@dataclass
class Counted:
    size: int
    version: str


class Model(preheat.Handler):
    """Counts the bytes of a file, and does what some files say."""

    def predict(self, file: preheat.File) -> Counted:
        word, _, rest = file.data.decode().partition(" ")
        if word == "poison":
            raise RuntimeError("this one never works")
        data = read(rest) if word == "read" else file.data
        print("counted", word)  # noqa: T201 - the tests look for it in the logs
        return Counted(len(data), VERSION)

    def examples(self) -> list[preheat.File]:
        return [preheat.File(b"ab", "text/plain")]


def read(place: str) -> bytes:
    """Return an object as the function's role may; the SDK is that of Lambda's runtime."""
    import boto3

    bucket, _, key = place.partition("/")
    data: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return data
