"""The generated app: a page of Python that holds what Modal must know, and calls `entry` for the rest. Pure.

The same spec gives the same text, on every machine: what is sent lies beside the file, under names that
the file can say (`making.lay_out`). It imports the standard library and modal; a test holds it to that.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from preheat_providers.modal.names import uploads_label
from preheat_providers.modal.settings import BUNDLE, CODE, DEPENDENCIES, UPLOADS_KEY, WEIGHTS
from preheat_providers.modal.spec import AppSpec, Tick, Volume

APP_FILE = "modal_app.py"
REQUIREMENTS_FILE = "requirements.txt"
CLASS = "Model"
WEB = "web"
"""The method with the web endpoint."""

ROOT = f"/root/{BUNDLE}"
"""Where the layers lie in a container: below the folder that Modal puts the file in."""

ON_THE_PATH = (
    "python -c 'import site; "
    f'open(site.getsitepackages()[0] + "/preheat.pth", "w").write("{ROOT}/{DEPENDENCIES}")\''
)
"""Puts uploaded packages on the path before Python's first import, and before Modal's own: its client
brings some that ours need in a newer version, and would have imported them by the time that we come."""

UV_OPTIONS = "--no-deps --require-hashes --only-binary :all:"
"""What the lock says, and nothing else; no package is built."""

TICK_S, TICK_RETRIES = 60, 2
"""What the function of a schedule may take and how often it is repeated: all it does is spawn a call."""

RECEIVER = "uploads"
"""The function that EventBridge calls."""
RECEIVER_CPU, RECEIVER_MB, RECEIVER_INPUTS = 0.125, 256, 50

HEAD = '''\
"""{app}, release {release}. Written by `preheat deploy --provider modal`, which will overwrite it."""

import sys
from pathlib import Path

import modal

HERE = Path(__file__).parent
BUNDLE = HERE / "{bundle}"
SETTINGS = {settings}
TAGS = {tags}

app = modal.App({name}, tags=TAGS)
image = (
{image}
)
'''

CONTAINER = """

{decorators}
class {name}:
{start}

    @modal.asgi_app({web})
    def web(self):
        return self.container.asgi_application(self.run_job.spawn)

    @modal.method()
    async def answer(self, request):
        return await self.container.answer(modal.current_function_call_id(), request)

    @modal.method()
    async def run_job(self, job_id, request):
        return await self.container.run_job(job_id, request)

{more}    @modal.method()
    async def run_tick(self, name):
        await self.container.run_tick(name, modal.current_function_call_id())

    @modal.exit()
    async def stop(self):
        await self.container.on_exit()
"""

START = """\
        sys.path[:0] = [{path}]
        from preheat_providers.modal.entry import start_before_snapshot

        self.container = start_before_snapshot(BUNDLE, SETTINGS)
"""

AT_ONCE = """\
    @modal.enter()
    async def start(self):
{start}        await self.container.finish_after_restore()
"""

WITH_SNAPSHOT = """\
    @modal.enter(snap=True)
    def start(self):
{start}
    @modal.enter(snap=False)
    async def finish(self):
        await self.container.finish_after_restore()
"""

RUN_UPLOAD = """\
    @modal.method()
    async def run_upload(self, trigger, event):
        return await self.container.run_upload(trigger, event)

"""

UPLOADS = """

@app.function({arguments})
@modal.concurrent(max_inputs={inputs})
@modal.asgi_app({web})
def {function}():
    sys.path[:0] = [str(BUNDLE / "{code}")]
    from preheat_providers.modal.entry import upload_receiver

    return upload_receiver(SETTINGS, {name}().run_upload.spawn)
"""

TICK = """

@app.function({arguments})
def {function}():
    {name}().run_tick.spawn({tick})
"""


def app_text(spec: AppSpec) -> str:
    """Return the text of the app's file."""
    head = HEAD.format(
        app=spec.app,
        name=literal(spec.app),
        release=spec.release,
        bundle=BUNDLE,
        settings=_table(spec.settings.document()),
        tags=_table(spec.tags),
        image="\n".join(f"    {line}" for line in _image(spec)),
    )
    return (
        head
        + _weights(spec)
        + _container(spec)
        + _uploads(spec)
        + "".join(_tick(spec, each) for each in spec.ticks)
    )


def _image(spec: AppSpec) -> Iterator[str]:
    yield f"modal.Image.debian_slim(python_version={literal(spec.python)})"
    if spec.packages == "image":
        yield ".uv_pip_install("
        yield f'    requirements=[str(HERE / "{REQUIREMENTS_FILE}")],'
        yield f"    uv_version={literal(spec.uv_version)},"
        yield f"    extra_options={literal(UV_OPTIONS)},"
        yield ")"
    if spec.weights == "image":
        yield _folder(WEIGHTS, "copy=True")
    if spec.packages == "upload":
        yield f".run_commands({literal(ON_THE_PATH)})"
        yield _folder(DEPENDENCIES)
    yield _folder(CODE)


def _folder(name: str, *more: str) -> str:
    arguments = ", ".join((f'BUNDLE / "{name}"', f'"{ROOT}/{name}"', *more))
    return f".add_local_dir({arguments})"


def _container(spec: AppSpec) -> str:
    path = f'str(BUNDLE / "{CODE}")'
    hooks = AT_ONCE if spec.snapshot == "none" else WITH_SNAPSHOT
    web = {"label": spec.label, "requires_proxy_auth": True if spec.door == "proxy" else None}
    concurrent = {"max_inputs": spec.max_inputs, "target_inputs": spec.target_inputs}
    return CONTAINER.format(
        decorators=f"@app.cls({_call(_class(spec))})\n@modal.concurrent({_line(concurrent)})",
        name=CLASS,
        start=hooks.format(start=START.format(path=path)).rstrip("\n"),
        more=RUN_UPLOAD if spec.uploads else "",
        web=_line(web),
    )


def _class(spec: AppSpec) -> Mapping[str, str]:
    scale, has_snapshot = spec.scale, spec.snapshot != "none"
    values = {
        "cpu": spec.cpu,
        "memory": spec.memory_mb,
        "gpu": spec.gpu[0] if len(spec.gpu) == 1 else list(spec.gpu) or None,
        "region": list(spec.regions) or None,
        "nonpreemptible": spec.nonpreemptible or None,
        "min_containers": scale.min_containers,
        "max_containers": scale.max_containers,
        "buffer_containers": scale.buffer_containers,
        "scaledown_window": scale.scaledown_window,
        "timeout": spec.timeout_s,
        "startup_timeout": spec.startup_timeout_s,
        "retries": spec.retries or None,
        "enable_memory_snapshot": has_snapshot or None,
        "experimental_options": {"enable_gpu_snapshot": True} if spec.snapshot == "gpu" else None,
    }
    said = {"image": "image"}
    said |= {name: literal(value) for name, value in values.items() if value is not None}
    if spec.env:
        said["env"] = _table(spec.env, "    ")
    if spec.secrets:
        lines = (f"        {_secret(*each)},\n" for each in sorted(spec.secrets.items()))
        said["secrets"] = "[\n" + "".join(lines) + "    ]"
    if isinstance(spec.weights, Volume):
        said["volumes"] = f'{{"{ROOT}/{WEIGHTS}": weights}}'
    return said


def _secret(name: str, variables: tuple[str, ...]) -> str:
    return f"modal.Secret.from_name({literal(name)}, required_keys={literal(sorted(variables))})"


def _weights(spec: AppSpec) -> str:
    if not isinstance(spec.weights, Volume):
        return ""
    return (
        f"weights = modal.Volume.from_name({literal(spec.weights.name)}).with_mount_options(read_only=True)\n"
    )


def _uploads(spec: AppSpec) -> str:
    if not spec.uploads:
        return ""
    slim = f"modal.Image.debian_slim(python_version={literal(spec.python)})"
    arguments = {
        "image": f"{slim}{_folder(CODE)}",
        "cpu": literal(RECEIVER_CPU),
        "memory": literal(RECEIVER_MB),
        "timeout": literal(TICK_S),
        "env": literal({UPLOADS_KEY: spec.uploads_sha256}),
    }
    return UPLOADS.format(
        arguments=_call(arguments),
        inputs=RECEIVER_INPUTS,
        web=_line({"label": uploads_label(spec.label)}),
        function=RECEIVER,
        code=CODE,
        name=CLASS,
    )


def _tick(spec: AppSpec, tick: Tick) -> str:
    arguments = {
        "image": f"modal.Image.debian_slim(python_version={literal(spec.python)})",
        "schedule": f"modal.Cron({literal(tick.cron)}, timezone={literal(tick.timezone)})",
        "timeout": str(TICK_S),
        "retries": str(TICK_RETRIES),
    }
    return TICK.format(
        arguments=_call(arguments),
        function=tick_function(tick.name),
        name=CLASS,
        tick=literal(tick.name),
    )


def tick_function(schedule: str) -> str:
    """Return what the function of a schedule is called."""
    return f"tick_{schedule.replace('-', '_')}"


def literal(value: Any) -> str:
    """Return JSON values as Python, with keys in order and strings in double quotes."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{literal(key)}: {literal(value[key])}" for key in sorted(value)) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
        case _:
            return repr(value)


def _call(arguments: Mapping[str, str]) -> str:
    return "\n" + "".join(f"    {name}={text},\n" for name, text in arguments.items())


def _line(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={literal(value)}" for name, value in values.items() if value is not None)


def _table(values: Mapping[str, Any], indent: str = "") -> str:
    if not values:
        return "{}"
    lines = (f"{indent}    {literal(name)}: {literal(values[name])},\n" for name in sorted(values))
    return "{\n" + "".join(lines) + indent + "}"
