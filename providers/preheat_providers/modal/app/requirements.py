"""The bundle's pins as the requirements.txt of an image: exact, and with their hashes. Pure."""

from collections.abc import Iterable

from preheat.bundle.lock import Pin
from preheat.errors import ProviderError

OWN_FILE = ("/", ".")
"""How a pin begins that is a wheel on this machine."""


def requirements_text(pins: Iterable[Pin]) -> str:
    """Return the text. Raises ProviderError for a wheel that is a file here, which Modal cannot fetch."""
    lines = []
    for pin in pins:
        if pin.requirement.startswith(OWN_FILE):
            raise ProviderError(
                f"{pin.requirement} is a file on this machine, and Modal builds the image from an index.",
                hint='packages = "upload"  # in [provider.modal]',
            )
        lines.append(pin.lines())
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))
