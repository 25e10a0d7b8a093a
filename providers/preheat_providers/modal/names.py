"""What things are called on Modal. Pure; every other part of this provider takes its names from here."""

OBJECT_CHARACTERS = 64
"""The longest name of an app, a Secret, a Volume or a Dict; modal/_utils/name_utils.py of modal 1.6.4."""

LABEL_CHARACTERS = 63
"""The longest label of DNS, which `WORKSPACE--LABEL` must be (RFC 1035)."""


PREFIX = "preheat-"


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


def own_secret(app: str) -> str:
    """Return the Secret that the deploy makes of the values that preheat.toml refers to."""
    return f"{app}-env"


def own_volume(app: str) -> str:
    """Return the Volume with the app's weights and the records of its releases; both go with the app."""
    return f"{app}-data"


def weights_folder(digest: str) -> str:
    """Return the folder of the Volume that holds the weights with the digest `sha256:HEX`."""
    return digest.removeprefix("sha256:")
