"""Which uploads a function takes, and by what an upload is known. Pure. Ships."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from preheat.runtime.objects.events import ObjectRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Run on every object under `prefix` of `bucket` that ends in `suffix`; results go to BUCKET/PREFIX."""

    name: str
    bucket: str
    prefix: str = ""
    suffix: str = ""
    output: str
    attempts: int = 3

    def document(self) -> dict[str, Any]:
        """Return the trigger as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Upload":
        """Return what `document` wrote."""
        return cls(**document)

    def wants(self, bucket: str, key: str) -> bool:
        """Say whether an object is one of those."""
        return bucket == self.bucket and key.startswith(self.prefix) and key.endswith(self.suffix)

    @property
    def sink(self) -> tuple[str, str]:
        """Bucket and prefix of the results; the prefix is empty or ends in `/`."""
        bucket, _, prefix = self.output.partition("/")
        folder = prefix.rstrip("/")
        return bucket, f"{folder}/" if folder else ""


def upload_key(trigger: Upload, record: ObjectRecord) -> str:
    """Return what this upload is noted under: the same for every delivery, another for newer content.

    The sequencer tells a duplicate from the same bytes that were put again after others.
    """
    parts = (trigger.name, record.bucket, record.key, record.version, record.sequencer)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"upload/{digest}"


def done_key(key: str) -> str:
    """Return what is noted once the result is written."""
    return f"done/{key}"
