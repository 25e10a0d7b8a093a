"""Preheat: one model handler, deployed to AWS Lambda, Modal, SageMaker or this machine."""

from preheat.errors import BadInput, HandlerError, PreheatError
from preheat.interface.batching import batched
from preheat.interface.caching import cached
from preheat.interface.call import Call
from preheat.interface.concurrency import threaded
from preheat.interface.handler import Context, Handler
from preheat.interface.media import File, Image, Tensor

__all__ = [
    "BadInput",
    "Call",
    "Context",
    "File",
    "Handler",
    "HandlerError",
    "Image",
    "PreheatError",
    "Tensor",
    "batched",
    "cached",
    "threaded",
]

__version__ = "0.1.0"
