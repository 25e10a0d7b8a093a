"""NumPy in the dependencies of a bundle that was laid by hand."""

from pathlib import Path

import numpy

from preheat.bundle.model import Bundle


def link_numpy(bundle: Bundle) -> None:
    """Put this environment's NumPy into the layer `dependencies`."""
    here = Path(numpy.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        link = bundle.layer("dependencies").path / name
        if (here / name).exists() and not link.exists():
            link.symlink_to(here / name)
