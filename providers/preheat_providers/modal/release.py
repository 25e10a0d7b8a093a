"""What a release is beside what Modal knows of it: a record in the app's Volume, named in a deployment tag.

Modal's own versions count rollbacks too. Ours is the number in the tag, which Modal keeps of each
deployment and takes 50 characters for: `r3.MARK`, where MARK tells the record from another deploy's that
took the same number at the same time.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from preheat.plan.model import Resource

FOLDER = "releases"
TAG = re.compile(r"r(?P<number>[1-9][0-9]*)\.(?P<mark>[0-9a-f]{16})")
FILE = re.compile(rf"{FOLDER}/(?P<tag>{TAG.pattern})\.(?P<digest>[0-9a-f]{{64}})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One release: whose, of which bundle, its resources as the plan compares them, and its token's hash.

    `weights` is the folder of the Volume that it reads. `stack` is what tells it of uploads, "REGION NAME",
    with a key that hashes to `uploads_sha256`. They are None without.
    """

    name: str
    stage: str
    number: int
    digest: str
    resources: tuple[Resource, ...]
    token_sha256: str | None = None
    weights: str | None = None
    uploads_sha256: str | None = None
    stack: str | None = None

    def to_json(self) -> str:
        """Return the record as it is kept, the same text for the same record."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def tag(self) -> str:
        """Return what the deployment is tagged with."""
        return f"r{self.number}.{hashlib.sha256(self.to_json().encode()).hexdigest()[:16]}"

    @property
    def path(self) -> str:
        """Return where the record lies in the Volume: its name says the digest, so that a list is enough."""
        return f"{FOLDER}/{self.tag}.{self.digest.removeprefix('sha256:')}.json"


def read_record(text: str) -> Record:
    """Return what `Record.to_json` wrote."""
    document: Mapping[str, Any] = json.loads(text)
    resources = tuple(Resource(**each) for each in document["resources"])
    return Record(**{**document, "resources": resources})


def number_of(tag: str) -> int | None:
    """Return the release that a deployment's tag names, or None for the tag of anybody else."""
    match = TAG.fullmatch(tag)
    return int(match["number"]) if match else None


def digest_of(path: str) -> tuple[str, str] | None:
    """Return the tag and the digest `sha256:HEX` that a record's path names, or None for another file."""
    match = FILE.fullmatch(path)
    return (match["tag"], f"sha256:{match['digest']}") if match else None
