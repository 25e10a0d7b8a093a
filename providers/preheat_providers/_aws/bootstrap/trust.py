"""Whose runs of GitHub Actions may deploy, as the subject of their tokens. Pure.

https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
"""

from preheat.errors import ProviderError
from preheat.provider.protocol import Groundwork

ANY = "*?"
"""What the comparison (StringLike) takes for any characters."""


def subject_of(groundwork: Groundwork) -> str | None:
    """Return the subject that `groundwork` asks to trust, or None. Raises ProviderError."""
    if groundwork.repository is None:
        return None
    for value in (groundwork.repository, groundwork.branch, groundwork.environment):
        if value is not None and set(value) & set(ANY):
            raise ProviderError(
                f"{value!r} would let more than one thing deploy: name it without * and ?.",
                hint="--github OWNER/REPO --environment prod",
            )
    if groundwork.environment is not None:
        # GitHub writes a colon in the name of an environment so, because colons part the subject.
        environment = groundwork.environment.replace(":", "%3A")
        return f"repo:{groundwork.repository}:environment:{environment}"
    if groundwork.branch is not None:
        return f"repo:{groundwork.repository}:ref:refs/heads/{groundwork.branch}"
    return f"repo:{groundwork.repository}:*"
