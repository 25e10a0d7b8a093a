"""Bytes get the same answers whether they arrive whole, and take the short way, or in pieces."""

import asyncio
import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.engine import FakeEngine
from tests.fakes.memory_transport import MemoryTransport
from tests.fakes.raw_http import chunked, request, split_answers
from tests.fakes.surface import surface

from preheat.interface.message import Request, Response
from preheat.runtime.server.http import Endpoint

Outcome = tuple[
    list[tuple[int, list[tuple[str, str]], bytes]], bool, list[tuple[bytes, str, str, dict[str, str]]]
]

FIELDS = st.sampled_from(
    [
        b"accept: text/plain",
        b"connection: close",
        b"connection: keep-alive",
        b"connection: Upgrade, HTTP2-Settings",
        b"content-encoding: gzip",
        b"content-length: 3",
        b"content-type: text/plain",
        b"expect: 100-continue",
        b"host: y",
        b"http2-settings: AAMAAABkAAQ",
        b"no colon",
        b"transfer-encoding: chunked",
        b"transfer-encoding: gzip",
        b"upgrade: h2c",
        b"x-preheat-a: \xff",
        b"x-preheat-timeout-s: 0",
        b"x-preheat-timeout-s: 3",
        b"x-request-id: given",
    ]
)
TARGETS = st.sampled_from(
    [b"/invocations", b"/predict", b"/invocations?a=b", b"/healthz", b"/nowhere", b"/\xff"]
)
VERSIONS = st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0", b"2.0"])
# None above the limit: how much of it is read before it is refused depends on the cuts.
BODIES = st.sampled_from([b"", b"1", b'"text"', b"x" * 40])
ORDINARY = st.builds(
    lambda body, fields, target, version: request(body, *fields, target=target, version=version),
    BODIES,
    st.lists(FIELDS, max_size=2),
    TARGETS,
    VERSIONS,
)
IN_CHUNKS = st.builds(
    lambda body, extension, trailer: chunked(
        b"%x%b\r\n%b\r\n0\r\n%b\r\n" % (len(body), extension, body, trailer)
    ),
    BODIES.filter(bool),
    st.sampled_from([b"", b";a=b", b" "]),
    st.sampled_from([b"", b"content-type: text/html\r\n", b"x-preheat-a: b\r\nhost: z\r\n", b"bad\r\n"]),
)
OTHERS = st.sampled_from([b"\r\n", b"garbage\r\n\r\n", b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"])


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """What a client sends, perhaps with one byte changed or its end missing, and where it is cut."""
    sent = b"".join(draw(st.lists(st.one_of(ORDINARY, ORDINARY, IN_CHUNKS, OTHERS), min_size=1, max_size=3)))
    match draw(st.sampled_from(["as it is", "as it is", "changed", "cut off"])):
        case "changed":
            at = draw(st.integers(0, len(sent) - 1))
            sent = sent[:at] + draw(st.binary(max_size=2)) + sent[at + 1 :]
        case "cut off":
            sent = sent[: draw(st.integers(1, len(sent)))]
    return sent, sorted(draw(st.lists(st.integers(0, len(sent)), max_size=6)))


async def echo(asked: Request) -> Response:
    return Response(body=asked.body, content_type=asked.content_type or "text/plain")


async def settle() -> None:
    """Let everything happen that does not wait for more bytes."""
    for _ in range(40):
        await asyncio.sleep(0)


async def talk(parts: Sequence[bytes]) -> Outcome:
    engine = FakeEngine(echo)
    app = surface(engine)
    await app._load()  # which a thread does, and so not within the turns of `settle`
    endpoint = Endpoint(app)
    protocol, transport = endpoint._protocol(), MemoryTransport()
    protocol.connection_made(transport)
    for part in parts:
        if not transport.closed and part:
            protocol.data_received(part)
        await settle()
        assert transport.closed or not transport.paused, "what was read so far has been answered"
    closed = transport.closed
    protocol.connection_lost(None)
    await settle()
    assert not endpoint._state.tasks
    answers = [
        (each.status, sorted(each.headers.items()), re.sub(rb"urn:preheat:request:\w+", b"urn", each.body))
        for each in split_answers(re.sub(rb"HTTP/1.1 100 Continue\r\n\r\n", b"", transport.written))
    ]
    made = [
        (status, [item for item in headers if item[0] != "x-request-id" or item[1] == "given"], body)
        for status, headers, body in answers
    ]
    asked = [(each.body, each.content_type, each.accept, dict(each.headers)) for each in engine.requests]
    return made, closed, asked


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_the_same_bytes_get_the_same_answers_wherever_they_are_cut(
    conversation: tuple[bytes, list[int]],
) -> None:
    sent, cuts = conversation
    ends = [*cuts, len(sent)]
    parts = [sent[start:end] for start, end in zip([0, *cuts], ends, strict=True)]
    assert asyncio.run(talk([sent])) == asyncio.run(talk(parts))
