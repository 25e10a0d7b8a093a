"""References to secrets, as `[secrets]` writes them: SCHEME:REST. Never the secret. Touches nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret's value is: `env` and a variable, `file` and a path, or a scheme of the provider."""

    scheme: str
    rest: str


def parse_secret(reference: str) -> SecretReference:
    """Split a reference that the project's schema has accepted."""
    scheme, _, rest = reference.partition(":")
    return SecretReference(scheme, rest)
