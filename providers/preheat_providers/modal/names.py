"""What things are called on Modal. Pure; every other part of this provider takes its names from here."""

import re

OBJECT_CHARACTERS = 64
"""The longest name of an app, a Secret, a Volume or a Dict; modal/_utils/name_utils.py of modal 1.6.4."""

LABEL_CHARACTERS = 63
"""The longest label of DNS, which `WORKSPACE--LABEL` must be (RFC 1035)."""


PREFIX = "preheat-"

REFERENCE = "modal:"
"""How a secret of preheat.toml begins that names a Secret of Modal's: `modal:NAME`."""
MARK_CHARACTERS = 8
"""How much of the mark of its values tells the Secrets of an app from one another."""


def app_name(name: str, stage: str) -> str:
    """Return what the app is called; `a-b` at `c` and `a` at `b-c` share it."""
    return f"{PREFIX}{name}-{stage}"


def endpoint_label(name: str, stage: str) -> str:
    """Return the label of the web endpoint: `WORKSPACE--LABEL.modal.run`."""
    return f"{name}-{stage}"


def uploads_label(label: str) -> str:
    """Return the label of the endpoint that is told of uploads, beside the one with `label`."""
    return f"{label}-uploads"


def uploads_stack(app: str) -> str:
    """Return what the stack of AWS is called that tells of uploads."""
    return f"{app}-uploads"


def jobs_dict(app: str) -> str:
    """Return the Dict with the records of jobs."""
    return f"{app}-jobs"


def own_secret(app: str, mark: str | None = None) -> str:
    """Return the Secret that a deploy makes of the values that preheat.toml refers to.

    Other values have another `mark` and another Secret: a deploy that fails, and a rollback, leave what runs
    its own. Without a mark it is the name in a plan.
    """
    return f"{app}-env" if mark is None else f"{app}-env-{mark[:MARK_CHARACTERS]}"


def is_own_secret(app: str, name: str) -> bool:
    """Say whether `name` is that of a Secret of `app`, whichever values it has."""
    return re.fullmatch(rf"{re.escape(app)}-env(-[0-9a-f]{{{MARK_CHARACTERS}}})?", name) is not None


def own_volume(app: str) -> str:
    """Return the Volume with the app's weights and the records of its releases; both go with the app."""
    return f"{app}-data"


def weights_folder(digest: str) -> str:
    """Return the folder of the Volume that holds the weights with the digest `sha256:HEX`."""
    return digest.removeprefix("sha256:")
