"""`preheat serve`: the server of a container, in the foreground of this shell."""

import ipaddress
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from preheat.bundle.interpreter import find_interpreter, native_platform
from preheat.bundle.model import Bundle, Target
from preheat.bundle.serving import SCRIPT, server_target
from preheat.cli import options
from preheat.cli.boundary import interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import ProjectError, ProviderError
from preheat.findings import Finding
from preheat.project.handler_source import look_at_handler
from preheat.project.model import Project
from preheat.project.positions import positioned
from preheat.project.secret_values import resolve_secrets, secret_findings
from preheat.runtime.server.listening import address_of, bind

PROVIDER = "serve"
PORT_HINT = "Stop that, or choose another one: --port N"
OPEN_HINT = '--token-env NAME, or in preheat.toml, under [triggers.http]: auth = "none"'


@options.command(
    "serve",
    "preheat serve",
    "preheat serve examples/embeddings --workers 2",
    "API_KEY=secret preheat serve --host 0.0.0.0 --token-env API_KEY",
)
@options.directory
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--grpc-port", type=click.IntRange(0, 65535), help="Serve the Open Inference Protocol over gRPC too."
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes with the model."
)
@click.option(
    "--queue",
    type=click.IntRange(1),
    help="Requests in hand per process; four times what predict takes, if not given.",
)
@click.option("--token-env", metavar="NAME", help="The variable with the token that callers must send.")
@click.option("--access-log", is_flag=True, help="Print a line of JSON for each request.")
@options.stage
@options.upgrade
@pass_tools
def serve(
    tools: Tools,
    directory: Path,
    port: int,
    host: str,
    grpc_port: int | None,
    queue: int | None,
    workers: int,
    token_env: str | None,
    access_log: bool,
    stage: str,
    upgrade: bool,
) -> None:
    """Serve a project in the foreground, as a container would.

    Builds the bundle and becomes its server: no scaling, no jobs, no triggers. Ctrl-C answers the
    requests in hand and ends; a second one ends at once. Without --token-env there is no token.
    """
    if grpc_port is not None and workers > 1:
        raise click.UsageError("--grpc-port needs --workers 1: its connections cannot be handed to workers.")
    flags = ["--workers", str(workers), "--stage", stage]
    flags += ["--queue", str(queue)] if queue is not None else []
    flags += ["--token-env", token_env] if token_env else []
    flags += ["--access-log"] if access_log else []
    flags += ["--host", host, "--grpc-port", str(grpc_port)] if grpc_port is not None else []
    with ExitStack() as opened:
        with interruptible(lambda: "Nothing was served."), tools.screen.progress() as report:
            pipeline = tools.pipeline("local", stage, report, upgrade=upgrade)
            project = pipeline.project(directory)
            _check(project, host, token_env)
            listener = opened.enter_context(bind(host, port, hint=PORT_HINT))
            target = _target(project, grpc=grpc_port is not None)
            bundle = pipeline.build(project, target, report=report, upgrade=upgrade)
        listener.set_inheritable(True)
        command = [*_command(bundle), *flags, "--listener", str(listener.fileno())]
        tools.screen.say(f"{project.name} starts at {address_of(listener)}. Ctrl-C ends it.")
        tools.execute(command[0], command, _environment(project))


def _check(project: Project, host: str, token_env: str | None) -> None:
    """Raise ProjectError for what is wrong before anything is built."""
    secrets = positioned(secret_findings(project, os.environ), project)
    findings = [*secrets, *look_at_handler(project)]
    if token_env is not None and not os.environ.get(token_env):
        message = f"The variable {token_env} should hold the token that callers must send, and is not set."
        findings.append(Finding(message=message, fix=f"export {token_env}=..."))
    if token_env is None and project.http.auth == "token" and not _is_loopback(host):
        message = f"{project.name} wants a token, and others could call it at {host} without one."
        findings.append(Finding(message=message, fix=OPEN_HINT))
    if findings:
        raise ProjectError(f"{project.name} cannot be served.", findings=findings)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _target(project: Project, *, grpc: bool) -> Target:
    python = project.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    return server_target(provider=PROVIDER, platform=native_platform(), python=python, grpc=grpc)


def _command(bundle: Bundle) -> list[str]:
    interpreter = find_interpreter(bundle.target.python)
    if interpreter is None:
        raise ProviderError(
            f"There is no Python {bundle.target.python} on this machine to serve with.",
            hint=f"uv python install {bundle.target.python}",
        )
    return [
        str(interpreter.path),
        *("-I", "-S", "-B", "-X", "utf8"),
        str(bundle.layer("code").path / SCRIPT),
        *("--dependencies", str(bundle.layer("dependencies").path)),
        *("--weights", str(bundle.layer("weights").path)),
        *("--provider", PROVIDER),
    ]


def _environment(project: Project) -> dict[str, str]:
    """Return this shell's variables, then the project's own, which win."""
    return {**os.environ, **project.env, **resolve_secrets(project, os.environ)}
