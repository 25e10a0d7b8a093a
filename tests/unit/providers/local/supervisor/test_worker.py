import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.errors import DeadlineExceeded, HandlerFailed, WorkerDied
from preheat.interface.message import Request, Response
from preheat.runtime.wire import read_request, write_response
from preheat_providers.local.supervisor.control import Channel
from preheat_providers.local.supervisor.worker import NotReached, Ready, SocketWorker, StartFailed

Answer = Callable[[Request, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REQUEST = Request(body=b"x" * 200_000, id="r")


class Peer:
    """The worker's side of the socket: `answer` is called for each request."""

    def __init__(self, path: Path, answer: Answer, *, listener: socket.socket | None = None) -> None:
        self.path = path
        self.answer = answer
        self.listener = listener
        self.connections = 0
        self.left = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Peer":
        if self.listener is None:
            self.server = await asyncio.start_unix_server(self._serve, self.path)
        else:
            self.server = await asyncio.start_unix_server(self._serve, sock=self.listener)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while (request := await read_request(reader, max_bytes=1_000_000)) is not None:
                await self.answer(request, reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()
            self.left.set()


async def length(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await write_response(writer, Response(body=str(len(request.body)).encode(), model_ms=2.0))


class Released:
    """Counts how often a place was freed, and lets a test wait for it."""

    def __init__(self) -> None:
        self.times = 0
        self.event = asyncio.Event()

    def __call__(self) -> None:
        self.times += 1
        self.event.set()


def run(
    tmp_path: Path, answer: Answer, test: Callable[[SocketWorker, Peer], Coroutine[Any, Any, None]]
) -> None:
    async def main() -> None:
        async with Peer(tmp_path / "w.sock", answer) as peer:
            worker = SocketWorker("w", socket=peer.path, channel=Channel())
            async with asyncio.timeout(PATIENCE_S):
                await test(worker, peer)
            worker.set_ended("exit code 0")

    asyncio.run(main())


def test_requests_reuse_a_connection(tmp_path: Path) -> None:
    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        for _ in range(3):
            response = await worker.exchange(REQUEST, limit_s=5, release=released)
            assert (response.body, response.model_ms) == (b"200000", 2.0)
        assert released.times == 3
        assert peer.connections == 1

    run(tmp_path, length, test)


def test_a_socket_that_nobody_listens_on_takes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        worker = SocketWorker("w", socket=tmp_path / "none.sock", channel=Channel())
        with pytest.raises(NotReached):
            await worker.exchange(REQUEST, limit_s=5, release=Released())

    asyncio.run(main())


def test_a_connection_that_ends_before_the_answer_means_the_process_died(tmp_path: Path) -> None:
    async def die(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        with pytest.raises(WorkerDied):
            await worker.exchange(REQUEST, limit_s=5, release=released)
        assert released.times == 1

    run(tmp_path, die, test)


def test_a_worker_that_does_not_answer_in_time_is_killed(tmp_path: Path) -> None:
    async def hang(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def test(worker: SocketWorker, peer: Peer) -> None:
        killed, released = asyncio.Event(), Released()
        worker.set_process(1, killed.set)
        with pytest.raises(DeadlineExceeded):
            await worker.exchange(REQUEST, limit_s=0.02, release=released)
        await killed.wait()
        await released.event.wait()
        assert released.times == 1

    run(tmp_path, hang, test)


def test_a_cancelled_request_keeps_its_place_until_the_worker_lets_go(tmp_path: Path) -> None:
    begun, heard, finish = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        assert await reader.read(1) == b""
        heard.set()
        await finish.wait()
        writer.close()

    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        call = asyncio.create_task(worker.exchange(REQUEST, limit_s=5, release=released))
        await begun.wait()
        call.cancel()
        await heard.wait()
        assert released.times == 0
        finish.set()
        await released.event.wait()
        assert released.times == 1

    run(tmp_path, slow, test)


def test_a_request_cancelled_while_it_connects_frees_its_place(tmp_path: Path) -> None:
    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        call = asyncio.create_task(worker.exchange(REQUEST, limit_s=5, release=released))
        await asyncio.sleep(0)  # it asks for a connection in its first step
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert released.times == 1
        await peer.left.wait()

    run(tmp_path, length, test)


def fill(path: Path) -> list[socket.socket]:
    """Connect to the listener at `path`, which accepts nobody, until its queue of connections is full."""
    waiting: list[socket.socket] = []
    while True:
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            client.connect(str(path))
        except BlockingIOError:
            client.close()
            return waiting
        waiting.append(client)


def test_a_request_that_finds_the_queue_of_connections_full_waits_for_room(tmp_path: Path) -> None:
    killed: list[int] = []

    async def main() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "w.sock"))
            listener.listen(1)
            worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=Channel())
            worker.set_process(1, lambda: killed.append(1))
            waiting = fill(worker.socket)
            try:
                call = asyncio.create_task(worker.exchange(REQUEST, limit_s=PATIENCE_S, release=Released()))
                await asyncio.sleep(0)  # it asks for a connection in its first step
            finally:
                for client in waiting:
                    client.close()
            async with Peer(worker.socket, length, listener=listener):
                assert (await call).body == b"200000"
            worker.set_ended("exit code 0")

    asyncio.run(main())
    assert killed == []


def test_a_worker_that_accepts_no_connection_in_time_takes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "w.sock"))
            listener.listen(1)
            worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=Channel())
            waiting = fill(worker.socket)
            try:
                with pytest.raises(NotReached, match="accepts no connection"):
                    await worker.exchange(REQUEST, limit_s=0.02, release=Released())
            finally:
                for client in waiting:
                    client.close()

    asyncio.run(main())


def streaming(chunks: Callable[[], AsyncIterator[bytes]]) -> Answer:
    async def answer(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await write_response(writer, Response(chunks=chunks()))

    return answer


async def three() -> AsyncIterator[bytes]:
    for number in range(3):
        yield str(number).encode()


async def breaking() -> AsyncIterator[bytes]:
    yield b"0"
    raise HandlerFailed("predict raised")


async def endless(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stream until the caller closes its end."""

    async def chunks() -> AsyncIterator[bytes]:
        while not reader.at_eof():
            await asyncio.sleep(0.001)
            yield b"x" * 10_000

    await write_response(writer, Response(chunks=chunks()))


def test_a_stream_frees_its_place_after_the_last_chunk(tmp_path: Path) -> None:
    async def test(worker: SocketWorker, peer: Peer) -> None:
        for _ in range(2):
            released = Released()
            response = await worker.exchange(REQUEST, limit_s=5, release=released)
            assert response.chunks is not None
            assert released.times == 0
            assert [chunk async for chunk in response.chunks] == [b"0", b"1", b"2"]
            assert released.times == 1
        assert peer.connections == 1

    run(tmp_path, streaming(three), test)


def test_a_stream_that_breaks_off_says_why_and_frees_its_place(tmp_path: Path) -> None:
    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        response = await worker.exchange(REQUEST, limit_s=5, release=released)
        assert response.chunks is not None
        assert await anext(response.chunks) == b"0"
        with pytest.raises(HandlerFailed, match="predict raised"):
            await anext(response.chunks)
        assert released.times == 1

    run(tmp_path, streaming(breaking), test)


@pytest.mark.parametrize("read_first", [False, True])
def test_closing_a_stream_early_cancels_it(tmp_path: Path, read_first: bool) -> None:
    async def test(worker: SocketWorker, peer: Peer) -> None:
        released = Released()
        killed = asyncio.Event()
        worker.set_process(1, killed.set)
        response = await worker.exchange(REQUEST, limit_s=PATIENCE_S, release=released)
        assert response.chunks is not None
        if read_first:
            await anext(response.chunks)
        await response.chunks.aclose()  # type: ignore[attr-defined]
        await released.event.wait()
        assert released.times == 1
        assert not killed.is_set()

    run(tmp_path, endless, test)


def test_a_start_is_reported_once(tmp_path: Path) -> None:
    async def main() -> None:
        worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=Channel())
        worker.set_failed(StartFailed("no", phase="setup"))
        worker.set_ready(Ready(concurrency=1))
        worker.set_ended("exit code 1")
        with pytest.raises(StartFailed, match="no"):
            await worker.started()
        assert await worker.ended() == "exit code 1"

    asyncio.run(main())


def test_a_kill_before_the_process_is_known_still_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        killed: list[int] = []
        worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=Channel())
        worker.kill()
        worker.set_process(7, lambda: killed.append(7))
        assert killed == [7]

    asyncio.run(main())
