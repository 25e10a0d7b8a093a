"""What Modal takes, as data, and what of a project it does not: findings, before anything is built or sent.

The client checks next to nothing of this, and its server only after a build.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from preheat.findings import Finding
from preheat.project.model import HttpTrigger, ObjectCreated, Project, Schedule
from preheat_providers.modal.finding import Find, finder
from preheat_providers.modal.gpus import gpu_problem, most_gpus
from preheat_providers.modal.names import (
    LABEL_CHARACTERS,
    MARK_CHARACTERS,
    OBJECT_CHARACTERS,
    REFERENCE,
    app_name,
    endpoint_label,
    jobs_dict,
    own_secret,
)
from preheat_providers.modal.options import Options
from preheat_providers.modal.scaling import scale_of
from preheat_providers.modal.shipped.jobs.records import ATTEMPTS

TABLE = "provider.modal"

BUILDER = "2025.06"
"""The version of Modal's image builder, which decides on the patch of Python and on Debian; without it that
of the workspace counts. The newest that modal 1.5.0 knows, and 1.6.4 has it: modal/_image.py."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Those of that builder from 3.11 on; modal/builder/base-images.json of modal 1.6.4."""
PYTHON = "3.13"
"""What runs unless the project says otherwise: fixed, so that every machine of a team builds the same."""

CALL_S = 24 * 3600
"""The longest call (https://modal.com/docs/guide/timeouts, read on 2026-11-21)."""
SPARE_S = 60
"""What a call has beyond its attempts: the pauses between them, and a full queue. Each attempt beyond those
of a job brings a pause of up to a minute more."""
LONGEST_TIMEOUT_S = (CALL_S - SPARE_S) // ATTEMPTS

WEB_S = 150
"""After so long Modal answers a web request with a 303 to where the answer will be
(https://modal.com/docs/guide/webhook-timeouts, read on 2026-11-21)."""

SCALEDOWN_S = (2, 3600)
"""modal/_functions.py of modal 1.6.4."""

DISK_MB = 512 * 1024
"""What a container may write without asking (https://modal.com/docs/guide/resources, read on 2026-11-21)."""

OURS = re.compile(r"MODAL_.*|PREHEAT_TOKEN_SHA256")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def call_s(project: Project) -> int:
    """Return what a call of the class may take, in seconds: all attempts of a job, or those of an upload."""
    return math.ceil(most_attempts(project) * project.resources.timeout_s) + _spare_s(project)


def most_attempts(project: Project) -> int:
    """Return how often one call may ask the model."""
    uploads = (each.attempts for each in project.triggers if isinstance(each, ObjectCreated))
    return max((ATTEMPTS, *uploads))


def _spare_s(project: Project) -> int:
    return SPARE_S * (1 + most_attempts(project) - ATTEMPTS)


def project_findings(project: Project, options: Options) -> tuple[Finding, ...]:
    """Return what of `project` Modal does not take."""
    find = finder(project)
    return (
        *_gpu_findings(project, options, find),
        *_resource_findings(project, find),
        *_scale_findings(project, options, find),
        *_name_findings(project, find),
        *_trigger_findings(project, find),
        *_upload_findings(project, options, find),
    )


def _gpu_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    asked = {"resources.gpu": project.resources.gpu} if project.resources.gpu is not None else {}
    asked |= {f"{TABLE}.gpu_fallback[{number}]": text for number, text in enumerate(options.gpu_fallback)}
    for key, text in asked.items():
        if problem := gpu_problem(text):
            what, instead = problem
            yield find(key, f"{key} is {text!r}, {what}.", _gpu_fix(key, text, instead, options))
    if options.gpu_fallback and project.resources.gpu is None:
        message = "gpu_fallback is for where there is none of resources.gpu, which is not set."
        first = options.gpu_fallback[0]
        problem = gpu_problem(first)
        yield find(
            f"{TABLE}.gpu_fallback", message, f'gpu = "{problem[1] if problem else first}"  # in [resources]'
        )
    if options.snapshot != "gpu":
        return
    key = f"{TABLE}.snapshot"
    if project.resources.gpu is None:
        yield find(key, 'snapshot = "gpu" is for a GPU, and resources.gpu is not set.', 'snapshot = "cpu"')
    if most_gpus(tuple(asked.values())) > 1:
        message = "Modal takes no snapshot of more than one GPU."
        yield find(key, message, 'snapshot = "cpu"  # and move the model to the GPUs in restore')


def _gpu_fix(key: str, wrong: str, instead: str, options: Options) -> str:
    if key == "resources.gpu":
        return f'gpu = "{instead}"'
    corrected = [instead if text == wrong else text for text in options.gpu_fallback]
    return f"gpu_fallback = {json.dumps(corrected)}"


def _resource_findings(project: Project, find: Find) -> Iterator[Finding]:
    resources = project.resources
    if call_s(project) > CALL_S:
        attempts = most_attempts(project)
        longest = (CALL_S - _spare_s(project)) // attempts
        whose = "a job" if attempts == ATTEMPTS else "an upload"
        message = (
            f"resources.timeout_s is {resources.timeout_s:g}. A call on Modal ends after 24 hours, in which "
            f"{whose} has {attempts} attempts: {longest} seconds for each."
        )
        yield find("resources.timeout_s", message, f"timeout_s = {longest}")
    if resources.tmp_mb > DISK_MB:
        message = f"resources.tmp_mb is {resources.tmp_mb}, and a container on Modal has {DISK_MB} MB."
        yield find("resources.tmp_mb", message, f"tmp_mb = {DISK_MB}")
    if project.python is not None and project.python not in PYTHONS:
        message = f"python is {project.python!r}, and Modal builds images with {', '.join(PYTHONS)}."
        yield find("python", message, f'python = "{PYTHON}"')
    for table, names in (("env", project.env), ("secrets", project.secrets)):
        for name in sorted(names):
            if OURS.fullmatch(name):
                message = f"{name} is set in the container, to something else."
                yield find(f"{table}.{name}", message, f"remove {name}")
            elif not VARIABLE.fullmatch(name):
                message = f"{name} is no variable: letters, digits and _, no digit first."
                yield find(f"{table}.{name}", message, "MODEL_... = ...")


def _scale_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    scale = scale_of(project, options)
    most = scale.max_containers
    if most is not None and scale.min_containers > most:
        key = f"{TABLE}.min_containers" if options.min_containers is not None else "scaling.min"
        message = f"At least {scale.min_containers} containers are to run, and at most {most}."
        yield find(key, message, f"max_containers = {scale.min_containers}  # in [{TABLE}]")
    least, longest = SCALEDOWN_S
    if not least <= scale.scaledown_window <= longest:
        key = f"{TABLE}.scaledown_window" if options.scaledown_window is not None else "scaling.idle_s"
        nearest = least if scale.scaledown_window < least else longest
        message = (
            f"An idle container stays {scale.scaledown_window} seconds, and Modal takes {least} to {longest}."
        )
        yield find(key, message, f"scaledown_window = {nearest}  # in [{TABLE}]")
    if (options.startup_timeout_s or project.limits.setup_s) > CALL_S:
        message = f"A start on Modal may take {CALL_S} seconds at most."
        yield find(f"{TABLE}.startup_timeout_s", message, f"startup_timeout_s = {CALL_S}")


def _name_findings(project: Project, find: Find) -> Iterator[Finding]:
    app = app_name(project.name, project.stage)
    makes_secret = any(not where.startswith(REFERENCE) for where in project.secrets.values())
    for name, room in (
        (own_secret(app, "0" * MARK_CHARACTERS) if makes_secret else jobs_dict(app), OBJECT_CHARACTERS),
        (endpoint_label(project.name, project.stage), LABEL_CHARACTERS - len("w--")),
    ):
        too_long = len(name) - room
        if too_long > 0:
            message = (
                f"On Modal there would be {name}, and no name has more than {room} characters: {too_long} "
                "too many. Shorten the project's name or the stage's."
            )
            shorter = project.name[: max(1, len(project.name) - too_long)].rstrip("-")
            yield find("name", message, f'name = "{shorter}"')
            return


def _trigger_findings(project: Project, find: Find) -> Iterator[Finding]:
    for trigger in project.triggers:
        if not isinstance(trigger, HttpTrigger | Schedule | ObjectCreated):
            key = f"triggers.{trigger.name}"
            message = f"{key} waits for a queue, and Modal has no trigger for one."
            yield find(key, message, "POST what the queue holds to /jobs, or deploy to Lambda.")


def _upload_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    if options.upload_queue is None:
        return
    key = f"{TABLE}.upload_queue"
    if not any(isinstance(trigger, ObjectCreated) for trigger in project.triggers):
        message = "upload_queue tells of uploads, and no trigger of this project runs on them."
        yield find(key, message, '[triggers.uploads]\ntype = "object-created"')
    if options.upload_region is None:
        message = f"upload_queue is {options.upload_queue}, which names no region of AWS."
        yield find(key, message, f'aws_region = "eu-central-1"  # in [{TABLE}]')


def notes(project: Project) -> tuple[str, ...]:
    """Return what is worth knowing of `project` on Modal, and no reason not to deploy it."""
    if project.resources.timeout_s <= WEB_S:
        return ()
    return (
        f"Requests may take {project.resources.timeout_s:g} s. Modal redirects a caller after {WEB_S} s "
        "(303), which browsers of another origin and some clients do not follow: POST long ones to /jobs.",
    )


def capabilities() -> Mapping[str, Any]:
    """Return the part of the provider's Capabilities that follows from what Modal takes."""
    return {
        "max_body_bytes": None,
        "max_response_bytes": None,
        "max_timeout_s": float(LONGEST_TIMEOUT_S),
        "max_memory_mb": None,
        "max_unzipped_bytes": None,
    }
