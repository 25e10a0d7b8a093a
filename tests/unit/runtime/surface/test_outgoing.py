import asyncio

import pytest
from starlette.types import Message
from tests.fakes.engine import Stream

from preheat.interface.message import Request
from preheat.runtime.surface.incoming import ClientLeft
from preheat.runtime.surface.outgoing import send_response

pytestmark = pytest.mark.anyio


async def test_a_client_that_stops_reading_a_stream_counts_as_gone() -> None:
    stream = Stream()
    response = await stream(Request(body=b"", id="r"))

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    with pytest.raises(ClientLeft):
        await send_response(response, send, stalled_s=0.02)
    assert stream.closed.is_set()
    assert stream.made == 1
