"""Which uploads a function takes, and where their results go. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
        """Bucket and prefix of the results."""
        return sink_of(self.output)


def sink_of(output: str) -> tuple[str, str]:
    """Return bucket and prefix of the results that `output` names; the prefix is empty or ends in `/`."""
    bucket, _, prefix = output.partition("/")
    folder = prefix.rstrip("/")
    return bucket, f"{folder}/" if folder else ""
