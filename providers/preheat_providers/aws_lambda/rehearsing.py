"""A function as `preheat coldstart` starts it: its archives laid out as Lambda does, its entry imported.

Without Lambda's own runtime client, whose start comes before ours, and without the download of the archives.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from preheat.bundle.model import Bundle
from preheat.bundle.zip.archive import Layout
from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets
from preheat.provider.rehearsal import Driven, Launch, Rehearsal, Start
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.entry import RUNTIME_API
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.target import IMPORTED, environment_of, layouts_of

ENTRY = "preheat_providers.aws_lambda.shipped.entry"
DRIVER = Path(__file__).with_name("rehearsed.py")
FLAGS = ("-S", "-B", "-P")
"""Nothing of the developer's packages, no byte-code written, the driver's folder not on the path."""


def rehearsal_of(bundle: Bundle, project: Project, options: Options, environ: Mapping[str, str]) -> Rehearsal:
    """Return how a function of `bundle` starts. Raises ProviderError for a secret without a value.

    Weights that a deploy would put into a bucket lie in the package here: nothing is fetched.
    """
    secrets = resolve_secrets(project, environ)
    options = replace(options, weights="package")
    layouts = layouts_of(bundle, options)

    @contextmanager
    def prepare(folder: Path) -> Iterator[Start]:
        task, opt = folder / "task", folder / "opt"
        for name, layout in layouts.items():
            _lay_out(layout, bundle, task if name == "function" else opt)
        variables = environment_of(project, options) | Settings(stage=project.stage).environment()
        own = _environment(project, bundle, task, opt) | variables | dict(project.env) | secrets
        ours, theirs = socket.socketpair()
        with ours, theirs:
            descriptor = theirs.fileno()
            yield Driven(
                ours,
                Launch(
                    flags=FLAGS,
                    script=DRIVER,
                    arguments=(str(descriptor), ENTRY),
                    env=own,
                    cwd=task,
                    descriptors=(descriptor,),
                ),
            )

    return Rehearsal(
        entry="the function's entry, imported as Lambda's runtime does, and an event of a Function URL",
        without="Lambda's runtime client, the download of the package, and SnapStart",
        prepare=prepare,
    )


def _lay_out(layout: Layout, bundle: Bundle, root: Path) -> None:
    """Lay an archive's content into `root`, by links to what lies at the top of each layer."""
    root.mkdir(exist_ok=True)
    for part in layout.layers:
        into = root / part.folder
        into.mkdir(parents=True, exist_ok=True)
        for entry in bundle.layer(part.layer).path.iterdir():
            if part.takes(entry.name):
                (into / entry.name).symlink_to(entry)
    for name, content in layout.files.items():
        (root / name).write_bytes(content)


def _environment(project: Project, bundle: Bundle, task: Path, opt: Path) -> dict[str, str]:
    """Return what Lambda sets; the path is that of its own bootstrap.

    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
    """
    site = opt / IMPORTED / "lib" / f"python{bundle.target.python}" / "site-packages"
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "LAMBDA_TASK_ROOT": str(task),
        "PYTHONPATH": os.pathsep.join(map(str, (task, site, opt / IMPORTED))),
        "AWS_LAMBDA_FUNCTION_NAME": project.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "0",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(project.resources.memory_mb),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        RUNTIME_API: "127.0.0.1:9",  # that it is set says that this is a start; nobody calls there
    }
