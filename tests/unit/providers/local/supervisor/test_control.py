import asyncio
import json
from pathlib import Path

from tests.fakes.patience import PATIENCE_S

from preheat_providers.local.supervisor.control import ControlServer, pump_lines


async def connect(path: Path, *lines: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(path)
    for line in lines:
        writer.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    await writer.drain()
    return reader, writer


def test_a_worker_is_known_by_its_first_line_and_heard_until_it_hangs_up(tmp_path: Path) -> None:
    async def main() -> None:
        server = ControlServer(tmp_path / "control.sock")
        await server.start()
        channel = server.expect("w1", lambda line: None)
        assert not channel.connected
        hello = {"event": "hello", "id": "w1", "pid": 7}
        reader, writer = await connect(server.path, hello, {"event": "ready"})
        heard = channel.events()
        assert await anext(heard) == hello
        assert await anext(heard) == {"event": "ready"}
        channel.send({"op": "drain"})
        assert json.loads(await reader.readline()) == {"op": "drain"}
        writer.close()
        assert [event async for event in heard] == []
        await server.stop()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_what_nobody_expects_is_hung_up_on(tmp_path: Path) -> None:
    async def main() -> None:
        server = ControlServer(tmp_path / "control.sock")
        await server.start()
        server.expect("w1", lambda line: None)
        _, first = await connect(server.path, {"event": "hello", "id": "w1"})
        for line in ({"event": "hello", "id": "w2"}, {"event": "hello", "id": "w1"}, {}, b"[]\n", b"\xff\n"):
            reader, writer = await connect(server.path, line)
            assert await reader.read() == b""
            writer.close()
        first.close()
        await server.stop()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_output_is_passed_on_line_by_line(tmp_path: Path) -> None:
    async def main() -> None:
        lines: asyncio.Queue[str] = asyncio.Queue()
        server = ControlServer(tmp_path / "control.sock")
        await server.start()
        server.expect("w1", lines.put_nowait)
        hello = {"event": "output", "id": "w1"}
        _, writer = await connect(server.path, hello, b"one\r\ntwo\n\xff\nla", b"st")
        writer.close()
        assert [await lines.get() for _ in range(4)] == ["one", "two", "\ufffd", "last"]
        await server.stop()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_a_line_without_end_is_passed_on_in_pieces() -> None:
    async def main() -> list[int]:
        reader = asyncio.StreamReader()
        reader.feed_data(b"x" * 200_000)
        reader.feed_eof()
        lines: list[int] = []
        await pump_lines(reader, lambda line: lines.append(len(line)))
        return lines

    lengths = asyncio.run(main())
    assert sum(lengths) == 200_000
    assert max(lengths) < 200_000
