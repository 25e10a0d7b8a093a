"""What the deploy tells the function in its environment: written with the stack, read when a function starts.

Ships. Lambda allows 4 KB of variables in all, so there are few and they are short.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from preheat.errors import ProviderError
from preheat.runtime.beginning import Place

PROVIDER = "aws_lambda"
WEIGHTS = "preheat-weights"
"""The folder of the weights, below the function's own or below the one where Lambda unpacks its layers."""
CONTRACT = "preheat-contract.json"
"""The file beside the user's code with what the build has learned of the handler."""
ALIAS = "live"
"""What the endpoint, every event source and the function itself call, so that moving it moves all traffic."""
MB_PER_CPU = 1769
"""Memory that brings one processor ("Configure Lambda function memory", Lambda developer guide)."""

STAGE = "PREHEAT_STAGE"
TOKEN = "PREHEAT_TOKEN_SHA256"  # noqa: S105 - the name of a variable
TRIGGERS = "PREHEAT_TRIGGERS"
TABLE = "PREHEAT_IDEMPOTENCY_TABLE"
JOBS_BUCKET = "PREHEAT_JOBS_BUCKET"
TRACING = "PREHEAT_TRACING"
PLACED = "PREHEAT_WEIGHTS_FOLDER"
"""Where an image has the weights: set by what starts in it."""
SNAP_START = "snap-start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Run on every object under `prefix` of `bucket` that ends in `suffix`; results go under `output`.

    Buckets are called as S3 calls them. `output` is `BUCKET/PREFIX`; the prefix is empty or ends in `/`.
    """

    name: str
    bucket: str
    prefix: str = ""
    suffix: str = ""
    output: str

    def wants(self, bucket: str, key: str) -> bool:
        """Say whether an object is one of those."""
        return bucket == self.bucket and key.startswith(self.prefix) and key.endswith(self.suffix)

    @property
    def sink(self) -> tuple[str, str]:
        """Bucket and prefix of the results."""
        bucket, _, prefix = self.output.partition("/")
        return bucket, prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Run on every message of the queue that SQS calls `queue`."""

    name: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Run on `input` when the schedule called `name` says so."""

    name: str
    input: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """What starts the function beside requests and jobs."""

    uploads: tuple[Upload, ...] = ()
    queues: tuple[Queue, ...] = ()
    ticks: tuple[Tick, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.uploads or self.queues or self.ticks)

    def to_json(self) -> str:
        """Return them as the text of their variable."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Triggers":
        """Return what `to_json` wrote."""
        document = json.loads(text)
        return cls(
            uploads=tuple(Upload(**each) for each in document["uploads"]),
            queues=tuple(Queue(**each) for each in document["queues"]),
            ticks=tuple(Tick(**each) for each in document["ticks"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One function.

    `table` of DynamoDB keeps deliveries from running twice, and the records of jobs. `jobs_bucket` holds
    what jobs are asked and answer. Either is None where the function has none. `tracing` is for X-Ray.
    """

    stage: str
    token_sha256: str | None = None
    triggers: Triggers = Triggers()
    table: str | None = None
    jobs_bucket: str | None = None
    tracing: bool = False

    def environment(self) -> dict[str, str]:
        """Return the variables that `read` reads."""
        variables = {STAGE: self.stage}
        if self.token_sha256 is not None:
            variables[TOKEN] = self.token_sha256
        if self.triggers:
            variables[TRIGGERS] = self.triggers.to_json()
        if self.table is not None:
            variables[TABLE] = self.table
        if self.jobs_bucket is not None:
            variables[JOBS_BUCKET] = self.jobs_bucket
        if self.tracing:
            variables[TRACING] = "1"
        return variables

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Return what the deploy has set. Raises ProviderError."""
        triggers = environ.get(TRIGGERS)
        if STAGE not in environ:
            raise ProviderError(
                f"The function's environment lacks {STAGE}, which every deploy sets.",
                hint="preheat deploy --provider lambda",
            )
        return cls(
            stage=environ[STAGE],
            token_sha256=environ.get(TOKEN),
            triggers=Triggers.from_json(triggers) if triggers else Triggers(),
            table=environ.get(TABLE),
            jobs_bucket=environ.get(JOBS_BUCKET),
            tracing=TRACING in environ,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What Lambda tells of the environment that `function` runs in, in its `version`."""

    task: Path
    function: str
    version: str
    memory_mb: int
    snap_start: bool

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Sandbox":
        """Return what Lambda has set ("Defined runtime environment variables", Lambda developer guide)."""
        return cls(
            task=Path(environ["LAMBDA_TASK_ROOT"]),
            function=environ["AWS_LAMBDA_FUNCTION_NAME"],
            version=environ["AWS_LAMBDA_FUNCTION_VERSION"],
            memory_mb=int(environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
            snap_start=environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START,
        )

    def place(self, settings: Settings, name: str, weights: Path) -> Place:
        """Return where the handler called `name` runs."""
        return Place(
            code=self.task,
            weights=weights,
            name=name,
            stage=settings.stage,
            provider=PROVIDER,
            release=self.version,
            tmp=Path("/tmp"),  # noqa: S108 - the one place that a function may write to
            cpus=self.memory_mb / MB_PER_CPU,
        )
