"""By what an upload is known. Pure. Ships."""

import hashlib

from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.uploads import Upload


def upload_key(trigger: Upload, record: ObjectRecord) -> str:
    """Return what this upload is noted under: the same for every delivery, another for newer content.

    The sequencer tells a duplicate from the same bytes that were put again after others.
    """
    parts = (trigger.name, record.bucket, record.key, record.version, record.sequencer)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"upload/{digest}"


def done_key(key: str) -> str:
    """Return what is noted once the result is written."""
    return f"done/{key}"
