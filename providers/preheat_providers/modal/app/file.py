"""The generated app: a page of Python that holds what Modal must know, and calls `entry` for the rest. Pure.

The same spec gives the same text, on every machine: what is sent lies beside the file, under names that
the file can say (`making.lay_out`). It imports the standard library and modal; a test holds it to that.
"""

from collections.abc import Iterator, Mapping

from preheat_providers.modal.app.functions import functions_text
from preheat_providers.modal.app.spec import AppSpec, Volume
from preheat_providers.modal.app.words import ROOT, call, environment, folder, line, literal, table
from preheat_providers.modal.shipped.settings import BUNDLE, CODE, DEPENDENCIES, WEIGHTS

APP_FILE = "modal_app.py"
REQUIREMENTS_FILE = "requirements.txt"
CLASS = "Model"
WEB = "web"
"""The method with the web endpoint."""

ON_THE_PATH = (
    "python -c 'import site; "
    f'open(site.getsitepackages()[0] + "/preheat.pth", "w").write("{ROOT}/{DEPENDENCIES}")\''
)
"""Puts uploaded packages on the path before Python's first import, and before Modal's own: its client
brings some that ours need in a newer version, and would have imported them by the time that we come."""

UV_OPTIONS = "--no-deps --require-hashes --only-binary :all:"
"""What the lock says, and nothing else; no package is built."""

HEAD = '''\
"""{app}, release {release}. Written by `preheat deploy --provider modal`, which will overwrite it."""

import sys
from pathlib import Path

import modal

HERE = Path(__file__).parent
BUNDLE = HERE / "{bundle}"
SETTINGS = {settings}

app = modal.App({name})
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
        from preheat_providers.modal.shipped.entry import start_before_snapshot

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
    async def run_upload(self, trigger, uploaded):
        return await self.container.run_upload(trigger, uploaded)

"""


def app_text(spec: AppSpec) -> str:
    """Return the text of the app's file."""
    head = HEAD.format(
        app=spec.app,
        name=literal(spec.app),
        release=spec.release,
        bundle=BUNDLE,
        settings=table(spec.settings.document()),
        image="\n".join(f"    {line}" for line in _image(spec)),
    )
    return head + _weights(spec) + _container(spec) + functions_text(spec, CLASS)


def _image(spec: AppSpec) -> Iterator[str]:
    yield f"modal.Image.debian_slim(python_version={literal(spec.python)})"
    if spec.packages == "image":
        yield ".uv_pip_install("
        yield f'    requirements=[str(HERE / "{REQUIREMENTS_FILE}")],'
        yield f"    uv_version={literal(spec.uv_version)},"
        yield f"    extra_options={literal(UV_OPTIONS)},"
        yield ")"
    if spec.weights == "image":
        yield folder(WEIGHTS, "copy=True")
    if spec.packages == "upload":
        yield f".run_commands({literal(ON_THE_PATH)})"
        yield folder(DEPENDENCIES)
    yield folder(CODE)


def _container(spec: AppSpec) -> str:
    path = f'str(BUNDLE / "{CODE}")'
    hooks = AT_ONCE if spec.snapshot == "none" else WITH_SNAPSHOT
    web = {"label": spec.label, "requires_proxy_auth": True if spec.door == "proxy" else None}
    concurrent = {"max_inputs": spec.max_inputs, "target_inputs": spec.target_inputs}
    return CONTAINER.format(
        decorators=f"@app.cls({call(_class(spec))})\n@modal.concurrent({line(concurrent)})",
        name=CLASS,
        start=hooks.format(start=START.format(path=path)).rstrip("\n"),
        more=RUN_UPLOAD if spec.uploads else "",
        web=line(web),
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
    said |= environment(spec)
    if isinstance(spec.weights, Volume):
        said["volumes"] = f'{{"{ROOT}/{WEIGHTS}": weights}}'
    return said


def _weights(spec: AppSpec) -> str:
    if not isinstance(spec.weights, Volume):
        return ""
    return (
        f"weights = modal.Volume.from_name({literal(spec.weights.name)}).with_mount_options(read_only=True)\n"
    )
