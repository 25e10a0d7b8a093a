"""A container as `preheat coldstart` starts it: the generated app's hooks, and its ASGI application.

Without Modal's own client, whose imports come before ours, and without snapshots.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from preheat.bundle.model import Bundle
from preheat.interface.threads import library_environment
from preheat.project.model import Project
from preheat.provider.rehearsal import Driven, Launch, Rehearsal, Start, link_layers
from preheat.runtime.cpus import threads_of
from preheat_providers.modal.secrets import own_values
from preheat_providers.modal.shipped.settings import CODE, DEPENDENCIES, Settings

DRIVER = Path(__file__).with_name("rehearsed.py")
FLAGS = ("-S", "-B", "-P")
"""Nothing of the developer's packages, no byte-code written, the driver's folder not on the path."""


def rehearsal_of(bundle: Bundle, project: Project, environ: Mapping[str, str]) -> Rehearsal:
    """Return how a container of `bundle` starts. Raises ProviderError for a secret without a value.

    The variables of a Modal Secret are not known here; those that the shell has are.
    """
    settings = Settings(
        stage=project.stage,
        release="0",
        memory_mb=project.resources.memory_mb,
        cpus=project.resources.cpu,
        door="open",
        jobs="",
    )
    variables = dict(project.env) | own_values(project, environ)

    @contextmanager
    def prepare(folder: Path) -> Iterator[Start]:
        layers, scratch = link_layers(bundle, folder / "layers"), folder / "tmp"
        scratch.mkdir()
        path = os.pathsep.join(str(layers / name) for name in (CODE, DEPENDENCIES))
        env = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(scratch), "TMPDIR": str(scratch)}
        threads = library_environment(threads_of(project.resources.cpu, workers=1))
        ours, theirs = socket.socketpair()
        with ours, theirs:
            descriptor = theirs.fileno()
            yield Driven(
                ours,
                Launch(
                    flags=FLAGS,
                    script=DRIVER,
                    arguments=(str(descriptor), str(layers), json.dumps(settings.document())),
                    env=env | {"PYTHONPATH": path} | threads | variables,
                    cwd=scratch,
                    descriptors=(descriptor,),
                ),
            )

    return Rehearsal(
        entry="the hooks of the generated app, and a request to its ASGI application",
        without="Modal's own client, the pull of the image, and memory snapshots",
        prepare=prepare,
    )
