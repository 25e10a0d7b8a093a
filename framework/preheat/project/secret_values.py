"""Secrets by reference: `env:VARIABLE` of the deploying shell, or `file:PATH` below or beside the project.

Resolved where the user is, before anything changes; values travel over the private socket only.
"""

import hashlib
import json
from collections.abc import Mapping

from preheat.errors import ProviderError
from preheat.findings import Finding
from preheat.project.model import Project


def secret_findings(project: Project, environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return a finding for every secret that has no value here."""
    findings = []
    for name, reference in project.secrets.items():
        try:
            _resolve(project, name, reference, environment)
        except ProviderError as error:
            findings.append(
                Finding(
                    message=error.message,
                    file=project.root / "preheat.toml",
                    key=f"secrets.{name}",
                    fix=error.hint,
                )
            )
    return tuple(findings)


def resolve_secrets(project: Project, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values by variable. Raises ProviderError for one that has none."""
    return {
        name: _resolve(project, name, reference, environment) for name, reference in project.secrets.items()
    }


def secrets_mark(project: Project, values: Mapping[str, str]) -> str | None:
    """Return a mark that changes with any of `values`, from which none can be found: scrypt (RFC 7914)."""
    if not values:
        return None
    text = json.dumps(sorted(values.items())).encode()
    salt = f"preheat:{project.name}@{project.stage}".encode()
    return hashlib.scrypt(text, salt=salt, n=2**14, r=8, p=1, dklen=8).hex()


def _resolve(project: Project, name: str, reference: str, environment: Mapping[str, str]) -> str:
    kind, _, place = reference.partition(":")
    if kind == "env" and place:
        if place not in environment:
            raise ProviderError(
                f"The secret {name} comes from the variable {place}, which is not set.",
                hint=f"export {place}=...",
            )
        return environment[place]
    if kind == "file" and place:
        path = project.root / place
        try:
            return path.read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ProviderError(f"The secret {name} comes from {path}, which cannot be read: {exc}.") from exc
    raise ProviderError(
        f"The secret {name} has the reference {reference!r}, which this provider cannot resolve.",
        hint=f'{name} = "env:{name}"   or   {name} = "file:PATH"',
    )
