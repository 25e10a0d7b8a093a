"""Removes an app, whole: what it is made of goes after it, so that a killed destroy can be repeated."""

from preheat.progress import Report, Step
from preheat.provider.protocol import Receipt
from preheat_providers.modal.errors import translated
from preheat_providers.modal.names import jobs_dict, own_volume
from preheat_providers.modal.operating.apps import stop_app
from preheat_providers.modal.place import Place
from preheat_providers.modal.secrets import drop_secret, made_secrets
from preheat_providers.modal.uploads.stack import UploadsStack

STAGE = "destroy"


def destroy(place: Place, stack: UploadsStack | None, report: Report) -> Receipt:
    """Remove everything that deploy made. Raises NotDeployed, or ProviderError with what would not go."""
    removed: list[str] = []
    live = place.live()
    if stack is not None:
        report(Step(STAGE, f"removing the stack {stack.stack}"))
        removed += stack.delete(report)
    if live is not None:
        report(Step(STAGE, f"stopping {place.app}"))
        stop_app(place.client, live.app)
        removed.append(f"app {place.app}")
    for secret in made_secrets(place.client, place.app, place.environment):
        if drop_secret(place.client, secret, place.environment):
            removed.append(f"Secret {secret}")
    removed += [f"{kind} {name}" for kind, name in _objects(place) if _drop(place, kind, name)]
    if not removed:
        raise place.missing()
    return Receipt(name=place.name, stage=place.stage, removed=tuple(removed), left=_left(place))


def remains(place: Place) -> tuple[str, ...]:
    """Return what is there beside the app: what a killed destroy leaves, or a first deploy that failed."""
    secrets = made_secrets(place.client, place.app, place.environment)
    objects = (f"{kind} {name}" for kind, name in _objects(place) if _exists(place, kind, name))
    return (*(f"Secret {name}" for name in secrets), *objects)


def _objects(place: Place) -> tuple[tuple[str, str], ...]:
    return ("Volume", own_volume(place.app)), ("Dict", jobs_dict(place.app))


def _drop(place: Place, kind: str, name: str) -> bool:
    """Delete the Volume or Dict called `name`; say whether it was there."""
    own = place.client.modal
    import modal
    from modal.exception import NotFoundError

    with translated(f"the {kind} {name} cannot be removed"):
        try:
            objects = modal.Volume.objects if kind == "Volume" else modal.Dict.objects
            objects.delete(name, environment_name=place.environment or None, client=own)
        except NotFoundError:
            return False
    return True


def _exists(place: Place, kind: str, name: str) -> bool:
    own = place.client.modal
    import modal
    from modal.exception import NotFoundError

    with translated(f"the {kind} {name} cannot be looked for"):
        try:
            named = modal.Volume.from_name if kind == "Volume" else modal.Dict.from_name
            named(name, environment_name=place.environment or None).hydrate(own)
        except NotFoundError:
            return False
    return True


def _left(place: Place) -> tuple[str, ...]:
    """Return what is still there, asked of Modal again."""
    app = (f"app {place.app}",) if place.live() is not None else ()
    return (*app, *remains(place))
