"""What the generated app imports when a container starts: nothing yet but this page. Ships."""

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preheat_providers.modal.shipped.container import Container
    from preheat_providers.modal.shipped.jobs.client import Spawn
    from preheat_providers.modal.shipped.settings import Settings
    from preheat_providers.modal.shipped.uploads.intake import Intake
    from preheat_providers.modal.shipped.uploads.receiving import Receiver


def start_before_snapshot(bundle: Path, settings: Mapping[str, Any]) -> "Container":
    """Load the model whose layers are in `bundle`, as far as a memory snapshot may keep it.

    Raises PreheatError, after logging why; Modal reports it as the reason that the container failed.
    """
    # What a start allocates stays: looking through it is lost time, until the model is ready.
    gc.disable()
    from preheat_providers.modal.shipped.container import start_container

    return start_container(bundle, settings)


def upload_receiver(settings: Mapping[str, Any], spawn: "Spawn") -> "Receiver":
    """Return what AWS tells of uploads; `spawn` begins a call of `run_upload`."""
    import os

    from preheat_providers.modal.shipped.settings import UPLOADS_KEY, Settings
    from preheat_providers.modal.shipped.uploads.receiving import Receiver

    return Receiver(_intake(Settings.of(settings), spawn), key_sha256=os.environ[UPLOADS_KEY])


async def poll_uploads(settings: Mapping[str, Any], spawn: "Spawn") -> None:
    """Take what the queue tells of uploads; `spawn` begins a call of `run_upload`."""
    import os

    from preheat_providers.modal.shipped.settings import Settings
    from preheat_providers.modal.shipped.uploads.polling import Poller

    told = Settings.of(settings)
    assert told.upload_queue is not None
    await Poller(told.access(os.environ).queue(told.upload_queue), _intake(told, spawn)).run()


def _intake(settings: "Settings", spawn: "Spawn") -> "Intake":
    from preheat.runtime.objects.uploads import Upload
    from preheat_providers.modal.shipped.jobs.client import ModalCalls, own_entries
    from preheat_providers.modal.shipped.uploads.intake import Intake

    triggers = map(Upload.of, settings.uploads)
    return Intake(triggers, own_entries(settings.jobs), ModalCalls(spawn).begin)
