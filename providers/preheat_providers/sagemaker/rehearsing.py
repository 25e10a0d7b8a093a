"""A container as `preheat coldstart` starts it: `serve` in the bundle's layers, and a POST once ready.

Without the image around the layers, and without the instance and the front.
"""

import http.client
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from preheat.bundle.model import Bundle
from preheat.errors import ProviderError
from preheat.interface.message import Request, Response
from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets
from preheat.provider.rehearsal import READY, Launch, Rehearsal, Start, Watch, link_layers
from preheat_providers.sagemaker.container import SCRIPT
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.outfit import settings_of
from preheat_providers.sagemaker.shipped.starting import SERVE

FLAGS = ("-I", "-S", "-B", "-X", "utf8")
HOST = "127.0.0.1"


def rehearsal_of(bundle: Bundle, project: Project, options: Options, environ: Mapping[str, str]) -> Rehearsal:
    """Return how a container of `bundle` starts. Raises ProviderError for a secret without a value."""
    secrets = resolve_secrets(project, environ)
    variables = settings_of(project, bundle, options).environment() | dict(project.env) | secrets

    @contextmanager
    def prepare(folder: Path) -> Iterator[Start]:
        layers, scratch = link_layers(bundle, folder / "layers"), folder / "tmp"
        scratch.mkdir()
        env = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(scratch), "TMPDIR": str(scratch)}
        with socket.create_server((HOST, 0)) as listener:
            descriptor = listener.fileno()
            launch = Launch(
                flags=FLAGS,
                script=layers / "code" / SCRIPT,
                arguments=(SERVE, "--listener", str(descriptor)),
                env=env | variables,
                cwd=scratch,
                descriptors=(descriptor,),
            )
            yield Served(listener.getsockname()[1], launch)

    return Rehearsal(
        entry="the container's command `serve`, and a POST to /invocations",
        without="the instance, the download of the image, and the front",
        prepare=prepare,
    )


class Served:
    """Implements preheat.provider.rehearsal.Start over HTTP at `port`."""

    def __init__(self, port: int, launch: Launch) -> None:
        self.launch = launch
        self._port = port

    def wait_ready(self, watch: Watch) -> None:
        """Wait for what it logs then: /ping would have to be asked again and again."""
        watch.logged(READY)

    def ask(self, request: Request, watch: Watch) -> Response:
        """POST it. Raises ProviderError where the connection fails."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=watch.left_s())
        headers = {"content-type": request.content_type, "accept": request.accept}
        try:
            connection.request("POST", "/invocations", request.body, headers)
            answer = connection.getresponse()
            return Response(
                status=answer.status,
                content_type=answer.headers.get("content-type", ""),
                body=answer.read(),
            )
        except (OSError, http.client.HTTPException) as error:
            message = f"The container's server is ready at port {self._port} and does not answer: {error}"
            raise ProviderError(message) from error
        finally:
            connection.close()
