"""The Secrets that deploys make of the values that preheat.toml refers to: the only way they leave."""

from collections.abc import Mapping
from dataclasses import replace

from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets, secrets_mark
from preheat_providers.modal.client import Client
from preheat_providers.modal.errors import translated
from preheat_providers.modal.names import REFERENCE, is_own_secret


def own_secrets(project: Project) -> Project:
    """Return `project` with those secrets only whose values are here, not in a Secret that somebody made."""
    ours = {name: where for name, where in project.secrets.items() if not where.startswith(REFERENCE)}
    return replace(project, secrets=ours)


def own_values(project: Project, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values for the Secret that the deploy makes. Raises ProviderError for one that has none."""
    return resolve_secrets(own_secrets(project), environment)


def own_mark(project: Project, environment: Mapping[str, str]) -> str | None:
    """Return what changes with any of the values, and tells none of them; None without secrets."""
    return secrets_mark(project, own_values(project, environment))


def put_secret(client: Client, name: str, environment: str, values: Mapping[str, str]) -> None:
    """Make the Secret `name` hold `values` and nothing else. Raises ProviderError."""
    client.ask(
        "SecretGetOrCreate",
        what=f"the Secret {name} cannot be made",
        deployment_name=name,
        environment_name=environment,
        object_creation_type="OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS",
        env_dict=values,
    )


def made_secrets(client: Client, app: str, environment: str) -> tuple[str, ...]:
    """Return the names of the Secrets that deploys have made for `app`. Raises ProviderError."""
    own = client.modal
    from modal import Secret

    with translated(f"the Secrets of {app} cannot be listed"):
        found = Secret.objects.list(environment_name=environment, client=own)
    return tuple(sorted(each.name for each in found if each.name and is_own_secret(app, each.name)))


def drop_secret(client: Client, name: str, environment: str) -> bool:
    """Remove the Secret; say whether it was there."""
    own = client.modal
    from modal import Secret
    from modal.exception import NotFoundError

    with translated(f"the Secret {name} cannot be removed"):
        try:
            Secret.objects.delete(name, environment_name=environment or None, client=own)
        except NotFoundError:
            return False
    return True
