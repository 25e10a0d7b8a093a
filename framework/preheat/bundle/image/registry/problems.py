"""What a registry refuses, with the fix. Codes: distribution-spec 1.1, "Error codes" (read 2026-11-21)."""

import json

from preheat.errors import BundleError

_LOGIN = (
    "Log in, then try again: docker login {registry}   (podman and skopeo: --authfile ~/.docker/config.json)"
)
_MAY = "Check the name, and that your account may use that repository; some registries want it made first."
_FIXES = {
    "UNAUTHORIZED": _LOGIN,
    "DENIED": _MAY,
    "NAME_UNKNOWN": _MAY,
    "NAME_INVALID": "Use lower-case letters, digits, and . _ - between them.",
    "MANIFEST_UNKNOWN": "Check the tag.",
    "MANIFEST_BLOB_UNKNOWN": "A layer was removed meanwhile. Run the same command again.",
    "MANIFEST_INVALID": "The registry may know only one format. Try the other one: --format docker",
    "UNSUPPORTED": "The registry may be read-only, or a mirror.",
    "TOOMANYREQUESTS": "Wait some minutes; logging in raises the limit on most registries.",
    "DIGEST_INVALID": "The bytes changed on their way. Run the same command again.",
    "TAG_INVALID": "The registry allows no such tag, or it is immutable. Choose another one.",
}
_STATUS_CODES = {401: "UNAUTHORIZED", 403: "DENIED", 404: "NAME_UNKNOWN", 429: "TOOMANYREQUESTS"}
_LONGEST = 300


class RegistryError(BundleError):
    """A registry refused, cannot be reached, or broke its protocol; `status` is 0 where it did not answer."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


def refusal(registry: str, what: str, status: int, body: bytes) -> RegistryError:
    """Return the error for an answer that was not wanted, in the registry's own words."""
    code, words = _said(body)
    code = code if code in _FIXES else _STATUS_CODES.get(status, code)
    hint = _FIXES.get(code)
    said = f": {words}" if words else ""
    return RegistryError(
        f"{registry} answered {status} to {what}{said}.",
        hint=hint.format(registry=registry) if hint else None,
        status=status,
    )


def _said(body: bytes) -> tuple[str, str]:
    try:
        first = json.loads(body)["errors"][0]
        code, message = str(first.get("code", "")), str(first.get("message", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return "", ""
    return code, " ".join(f"{code} {message}".split())[:_LONGEST].rstrip(".")
