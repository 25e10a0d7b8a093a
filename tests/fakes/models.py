"""A handler class as a loaded model, without files."""

from pathlib import Path

from preheat.interface.contract import read_contract
from preheat.interface.handler import Context, Handler
from preheat.interface.manifest import Limits
from preheat.runtime.loader import Model


def model_of(handler: type[Handler], *, limits: Limits | None = None) -> Model:
    """Return an instance of `handler` with its contract; setup has not run."""
    context = Context(name="demo", stage="dev", provider="test", release="1", tmp=Path())
    return Model(
        handler=handler(),
        contract=read_contract(handler, f"tests:{handler.__name__}"),
        limits=limits or Limits(),
        context=context,
    )
