"""From a project and its bundle to the app's spec, and to the files of a deploy. Touches the given folder."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import uv

from preheat.bundle.interpreter import runs_here
from preheat.bundle.lock import LOCK, Pin, read_lock
from preheat.bundle.model import Bundle, LayerName, Target
from preheat.errors import ProviderError
from preheat.interface.threads import library_environment
from preheat.project.model import ObjectCreated, Project, Schedule
from preheat.runtime.cpus import threads_of
from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.app.file import APP_FILE, REQUIREMENTS_FILE, app_text
from preheat_providers.modal.app.requirements import requirements_text
from preheat_providers.modal.app.spec import AppSpec, Door, Tick, Volume
from preheat_providers.modal.gpus import ANY, is_any, read_gpu
from preheat_providers.modal.limits import call_s
from preheat_providers.modal.names import (
    REFERENCE,
    app_name,
    endpoint_label,
    jobs_dict,
    own_secret,
    own_volume,
    weights_folder,
)
from preheat_providers.modal.options import Options
from preheat_providers.modal.scaling import inputs_of, scale_of
from preheat_providers.modal.shipped.settings import BUNDLE, CODE, DEPENDENCIES, TOKEN, WEIGHTS


def app_spec(
    project: Project,
    options: Options,
    bundle: Bundle,
    *,
    release: str,
    token_sha256: str | None = None,
    uploads_sha256: str = "",
    secrets_mark: str | None = None,
) -> AppSpec:
    """Return the app that deploys `bundle`; `token_sha256` is the hash of our token.

    `secrets_mark` is the mark of the values of its secrets. Raises ProviderError where nobody knows how many
    requests a container takes at once.
    """
    app = app_name(project.name, project.stage)
    if bundle.contract is None and not (options.concurrency or project.scaling.concurrency):
        raise _unknown_inputs(bundle.target)
    max_inputs, target_inputs = inputs_of(project, options, bundle.contract)
    resources, door = project.resources, door_of(project, options)
    return AppSpec(
        app=app,
        label=endpoint_label(project.name, project.stage),
        stage=project.stage,
        release=release,
        python=bundle.target.python,
        uv_version=uv_version(),
        packages=options.packages,
        weights=_weights(app, options, bundle),
        cpu=resources.cpu,
        memory_mb=resources.memory_mb,
        gpu=tuple(each for text in (resources.gpu, *options.gpu_fallback) if text for each in _gpus(text)),
        regions=options.region,
        nonpreemptible=options.nonpreemptible,
        timeout_s=call_s(project),
        startup_timeout_s=options.startup_timeout_s or math.ceil(project.limits.setup_s),
        retries=options.retries,
        scale=scale_of(project, options),
        max_inputs=max_inputs,
        target_inputs=target_inputs,
        snapshot=options.snapshot,
        door=door,
        jobs=jobs_dict(app),
        env=_environment(project, token_sha256 if door == "token" else None),
        secrets=secrets_of(project, secrets_mark),
        secrets_mark=secrets_mark,
        ticks=tuple(
            Tick(name=each.name, cron=each.cron, timezone=each.timezone, input=each.input)
            for each in project.triggers
            if isinstance(each, Schedule)
        ),
        uploads=uploads_of(project),
        uploads_sha256=uploads_sha256,
        upload_role=options.upload_role,
        upload_region=options.upload_region,
        upload_queue=options.upload_queue,
    )


def uploads_of(project: Project) -> tuple[Upload, ...]:
    """Return the triggers that run on uploads."""
    return tuple(
        Upload(
            name=each.name,
            bucket=each.bucket,
            prefix=each.prefix,
            suffix=each.suffix,
            output=each.output,
            attempts=each.attempts,
        )
        for each in project.triggers
        if isinstance(each, ObjectCreated)
    )


def door_of(project: Project, options: Options) -> Door:
    """Return who may call."""
    return "open" if project.http.auth == "none" else options.auth


def secrets_of(project: Project, mark: str | None) -> dict[str, tuple[str, ...]]:
    """Return the Secrets of Modal's that the app needs, each with its variables.

    `modal:NAME` is one that somebody made; all others are values for the Secret that the deploy makes, which
    `mark` names.
    """
    found: dict[str, tuple[str, ...]] = {}
    own = own_secret(app_name(project.name, project.stage), mark)
    for variable, reference in sorted(project.secrets.items()):
        name = reference.removeprefix(REFERENCE) if reference.startswith(REFERENCE) else own
        found[name] = (*found.get(name, ()), variable)
    return found


def pins_of(project: Project, bundle: Bundle) -> tuple[Pin, ...]:
    """Return the pins that `bundle` was built of. Raises ProviderError for a lock without them."""
    target = bundle.target
    for section in read_lock(project.root / LOCK):
        if (section.platform, section.python) == (target.platform, target.python):
            return section.pins
    raise ProviderError(
        f"{LOCK} has no section for {target.platform} and Python {target.python}.",
        hint="preheat build --provider modal",
    )


def lay_out(folder: Path, spec: AppSpec, bundle: Bundle, pins: Iterable[Pin]) -> Path:
    """Write the app and what it sends into `folder`, which is empty; return the app's file.

    Layers are links: nothing is copied here, and the file's text says no path of this machine.
    """
    layers: dict[str, LayerName] = {CODE: "code"}
    if spec.packages == "upload":
        layers[DEPENDENCIES] = "dependencies"
    else:
        (folder / REQUIREMENTS_FILE).write_text(requirements_text(pins), encoding="utf-8")
    if spec.weights == "image":
        layers[WEIGHTS] = "weights"
    (folder / BUNDLE).mkdir()
    for name, layer in layers.items():
        (folder / BUNDLE / name).symlink_to(bundle.layer(layer).path, target_is_directory=True)
    file = folder / APP_FILE
    file.write_text(app_text(spec), encoding="utf-8")
    return file


def uv_version() -> str:
    """Return the version of uv that resolved the lock: the one beside us."""
    from importlib.metadata import version

    return version(uv.__name__)


def _unknown_inputs(target: Target) -> ProviderError:
    """Return the error for a bundle that was not run here: another machine would deploy another app of it."""
    if runs_here(target):
        why, hint = f"there is no Python {target.python} here", f"uv python install {target.python}"
    else:
        why = f"this machine cannot run what is built for {target.platform}"
        hint = "concurrency = 1  # in [provider.modal]; two batches, or 32 for an async handler"
    return ProviderError(
        "How many requests a container takes at once follows from the handler, which was not run on this "
        f"machine: {why}.",
        hint=hint,
    )


def _weights(app: str, options: Options, bundle: Bundle) -> Volume | Literal["image"] | None:
    layer = bundle.layer("weights")
    if not layer.bytes:
        return None
    if options.weights == "image":
        return "image"
    return Volume(name=own_volume(app), folder=weights_folder(layer.digest))


def _gpus(text: str) -> tuple[str, ...]:
    if is_any(text):
        return ANY
    wanted = read_gpu(text)
    return (wanted.text if wanted else text,)


def _environment(project: Project, token_sha256: str | None) -> dict[str, Any]:
    threads = threads_of(project.resources.cpu, workers=1)
    token = {TOKEN: token_sha256} if token_sha256 else {}
    return library_environment(threads) | dict(project.env) | token
