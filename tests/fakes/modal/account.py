"""A workspace of Modal for the providers of this process: the control plane, and what leads there."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.modal.recipe import PYTHON

SETTINGS = f'python = "{PYTHON}"\n'
"""The one Python that this machine's containers have."""
OPTIONS: Mapping[str, Any] = {"packages": "upload"}
"""No image has to be built for these, so that each deploy takes a second."""


@contextmanager
def workspace() -> Iterator[ControlPlane]:
    """Run a control plane, and lead the clients of this process and its children there."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        place = Path(folder, "plane")
        place.mkdir()
        with ControlPlane(place) as plane:
            for name, value in plane.environment(Path(folder)).items():
                environment.setenv(name, value)
            yield plane
