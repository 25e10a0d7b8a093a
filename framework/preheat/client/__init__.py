"""The Python client: `connect(url).predict(value)`, streams and jobs, in a synchronous and an async form."""

try:
    import httpx as _httpx  # noqa: F401 - asked for first, so that its absence is said with what to run
except ModuleNotFoundError as _missing:
    raise ImportError("preheat.client needs httpx. Run: pip install 'preheat[client]'") from _missing

from preheat.client.asynchronous import AsyncClient, AsyncJob, connect_async
from preheat.client.retrying import Retries
from preheat.client.synchronous import Client, Job, connect

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job", "Retries", "connect", "connect_async"]
