"""The REST surface of the Open Inference Protocol (KServe V2), for clients that speak it."""

from preheat.runtime.surface.inference.protocol import refusal
from preheat.runtime.surface.inference.routes import Inference, inference_routes

__all__ = ["Inference", "inference_routes", "refusal"]
