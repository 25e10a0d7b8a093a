"""From how SageMaker starts a container to how the server of the runtime is asked to serve. Ships.

The contract is https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html (read
2026-11-21): `docker run IMAGE serve`, port 8080, /ping from the start with two seconds for an answer,
/invocations, SIGTERM and 30 s later SIGKILL. Until the first 200 it asks nothing more of /ping; that a 200
counts as healthy whatever else is said is in aws/deep-learning-containers issue 2917, that an asynchronous
endpoint fails an answer without a length in deepjavalibrary/djl-serving issue 2567.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from preheat.errors import ProviderError
from preheat.interface.manifest import Manifest, read_manifest
from preheat.runtime.server.config import Config, read_config
from preheat_providers.sagemaker.shipped.settings import PROVIDER, Settings

SERVE = "serve"
PORT = "SAGEMAKER_BIND_TO_PORT"
USUAL_PORT = "8080"
BASE = "SAGEMAKER_BASE_DIR"
"""Where SageMaker puts things, for those who try a container elsewhere (sagemaker-inference 1.10.1)."""
USUAL_BASE = "/opt/ml"
DRAIN_S = 22.0
"""SIGKILL comes 30 s after SIGTERM; several workers get 5 s beyond this, and ending takes its time too."""

MOST_AT_ONCE = "1000"
"""What MaxConcurrentInvocationsPerInstance may be: as many as an asynchronous endpoint may send at once.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceClientConfig.html, 2026-11-21"""


def config_of(code: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Return what the server is to be; the layers lie beside `code`. Raises ProviderError.

    `arguments` are SageMaker's, and behind them what the server tells its own processes.
    """
    own = list(arguments)
    if own and not own[0].startswith("-") and own.pop(0) != SERVE:
        raise ProviderError(
            f"This image was started with the argument {arguments[0]!r}, and all it does is serve.",
            hint="docker run IMAGE serve",
        )
    settings = Settings.read(environ)
    weights = weights_folder(read_manifest(code), code.parent / "weights", _base(environ) / "model")
    flags = [
        *("--dependencies", str(code.parent / "dependencies"), "--weights", str(weights)),
        *("--host", "0.0.0.0", "--port", _port(environ)),  # noqa: S104 - its own network
        *("--workers", str(settings.workers), "--drain-s", str(DRAIN_S)),
        *("--stage", settings.stage, "--provider", PROVIDER, "--release", settings.release),
        *("--ping-decides", "--access-log"),
    ]
    if settings.mode != "realtime":  # elsewhere nothing hands on a stream
        flags.append("--whole")
    if settings.mode == "async":  # each request is tried once, so whatever is refused is lost
        flags += ["--no-circuit", "--queue", MOST_AT_ONCE]
    return read_config(code, [*flags, *own])


def weights_folder(manifest: Manifest, image: Path, downloaded: Path) -> Path:
    """Return which of two folders has the weights: the image's own, or where SageMaker puts a model's data.

    Raises ProviderError, naming what is missing, where neither has all of them.
    """
    for folder in (image, downloaded):
        if all((folder / path).exists() for path in manifest.weights.values()):
            return folder
    there = downloaded if downloaded.is_dir() and any(downloaded.iterdir()) else image
    missing = [name for name, path in manifest.weights.items() if not (there / path).exists()]
    raise ProviderError(
        f"The weights {', '.join(missing)} are neither in the image nor below {downloaded}.",
        hint="The model's ModelDataSource is an S3 prefix with the weights, and its CompressionType is None.",
    )


def _port(environ: Mapping[str, str]) -> str:
    port = environ.get(PORT, USUAL_PORT)
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ProviderError(f"{PORT} is {port!r}, which is no port.", hint=f"{PORT}={USUAL_PORT}")
    return port


def _base(environ: Mapping[str, str]) -> Path:
    return Path(environ.get(BASE, USUAL_BASE))
