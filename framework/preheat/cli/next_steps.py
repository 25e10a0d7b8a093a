"""The end of a deploy: the endpoint, a line to paste that works, what to do next. Touches nothing."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from preheat.cli.problems import note
from preheat.cli.text import bold, dim, paste
from preheat.interface.message import JSON_TYPE
from preheat.project.model import DEFAULT_STAGE
from preheat.provider.protocol import Deployment

if TYPE_CHECKING:
    from preheat.deploy import Prepared

LONGEST_EXAMPLE = 400
FILES = {
    "image/*": ("image/png", "image.png"),
    "application/octet-stream": ("application/octet-stream", "FILE"),
    "application/x-npy": ("application/x-npy", "input.npy"),
}
"""How to send a file to a handler that takes one as it is: by an accepted media type, what to write."""


def deployed(deployment: Deployment, prepared: "Prepared", *, seconds: float) -> Iterator[str]:
    """Yield the end of a deploy."""
    contract = prepared.bundle.contract or {}
    name = f"{deployment.name} ({deployment.stage}) on {deployment.provider}"
    did = f"release {deployment.release} is live" if deployment.changed else "nothing changed"
    yield f"{bold(name)}: {did} {dim(f'{seconds:.1f} s')}"
    yield ""
    yield f"  {deployment.endpoint}"
    yield ""
    yield paste(curl_line(deployment, contract=contract, auth=prepared.project.http.auth))
    yield ""
    for command in ("status", "logs", "destroy"):
        yield dim(f"  preheat {command} {arguments(deployment)}")
    for text in deployment.notes:
        yield from note(text)


def arguments(deployment: Deployment) -> str:
    """Return the arguments by which other commands find the deployment."""
    stage = "" if deployment.stage == DEFAULT_STAGE else f" --stage {deployment.stage}"
    provider = "" if deployment.provider == "local" else f" --provider {deployment.provider}"
    return deployment.name + provider + stage


def curl_line(deployment: Deployment, *, contract: Mapping[str, Any], auth: str) -> str:
    """Return a call of the endpoint, with the handler's first example as its input where it has one."""
    parts = [f"curl {shlex.quote(deployment.endpoint.rstrip('/') + '/invocations')}"]
    if deployment.authority:
        parts.append(f"--cacert {shlex.quote(deployment.authority)}")
    if auth == "token":
        parts.append(f'-H "Authorization: Bearer {_token(deployment)}"')
    file = next((FILES[kind] for kind in contract.get("input_media", ()) if kind in FILES), None)
    examples = contract.get("examples", ())
    example = json.dumps(examples[0], ensure_ascii=False) if examples else ""
    if file is not None:
        parts += [f"-H 'Content-Type: {file[0]}'", f"--data-binary @{file[1]}"]
    elif 0 < len(example) <= LONGEST_EXAMPLE:
        parts += [f"-H 'Content-Type: {JSON_TYPE}'", f"-d {shlex.quote(example)}"]
    else:
        parts += [f"-H 'Content-Type: {JSON_TYPE}'", "-d @input.json"]
    return " \\\n  ".join(parts)


def _token(deployment: Deployment) -> str:
    """Return the token, or what a shell makes it of within double quotes."""
    kept = f"$(cat {shlex.quote(deployment.token_file)})" if deployment.token_file else "$TOKEN"
    return deployment.token or kept
