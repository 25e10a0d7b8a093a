import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.grpc_server import infer, served, vector
from tests.fakes.ports import free_port

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.grpc_door import GrpcDoor
from preheat_providers.local.supervisor.tls import make_certificates

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
async def _one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """Keep one event loop: what grpc hears late of a call, it tells the loop of that call."""
    yield  # noqa: PT022 - the loop lives as long as this waits


async def answers(address: str | None, credentials: Any = None) -> bool:
    assert address is not None
    channel = (
        grpc.aio.insecure_channel(address)
        if credentials is None
        else grpc.aio.secure_channel(address, credentials)
    )
    async with channel:
        return (await infer(channel, vector(1))).id == "7"


async def test_without_a_port_nothing_is_served(tmp_path: Path) -> None:
    door = GrpcDoor()
    door.check(Options())
    await door.show(served(FakeEngine()), Options(), tmp_path, stop_s=0.0)
    assert door.address is None


async def test_a_new_release_is_shown_without_closing_the_port(tmp_path: Path) -> None:
    door, options, stalled = GrpcDoor(), Options(grpc_port=free_port()), Stalled()
    await door.show(served(FakeEngine(stalled)), options, tmp_path, stop_s=0.0)
    async with grpc.aio.insecure_channel(door.address or "") as channel:
        old = asyncio.ensure_future(infer(channel, vector(1)))
        await stalled.begun.wait()
        door.check(options)
        await door.show(served(FakeEngine()), options, tmp_path, stop_s=0.0)
        assert (await infer(channel, vector(1))).id == "7"
        assert not old.done()
        old.cancel()
    await door.stop(0.0)


async def test_another_limit_of_the_body_holds_from_the_next_release_on(tmp_path: Path) -> None:
    door, options = GrpcDoor(), Options(grpc_port=free_port())
    await door.show(served(FakeEngine()), options, tmp_path, stop_s=0.0)
    before = door.address
    await door.show(
        served(FakeEngine(), limits=Limits(body_bytes=10, timeout_s=9.0)), options, tmp_path, stop_s=0.0
    )
    assert door.address == before
    with pytest.raises(grpc.aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
        await answers(door.address)
    await door.stop(0.0)


async def test_the_port_closes_when_no_release_wants_it_any_more(tmp_path: Path) -> None:
    door, options = GrpcDoor(), Options(grpc_port=free_port())
    await door.show(served(FakeEngine()), options, tmp_path, stop_s=0.0)
    await door.show(served(FakeEngine()), Options(), tmp_path, stop_s=0.0)
    assert door.address is None
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", options.grpc_port))


async def test_tls_keeps_the_port_and_is_trusted_by_the_local_authority(tmp_path: Path) -> None:
    door, port = GrpcDoor(), free_port()
    await door.show(served(FakeEngine()), Options(grpc_port=port), tmp_path, stop_s=0.0)
    authority = make_certificates(tmp_path)
    await door.show(served(FakeEngine()), Options(grpc_port=port, tls=True), tmp_path, stop_s=0.0)
    assert door.address == f"127.0.0.1:{port}"
    assert await answers(door.address, grpc.ssl_channel_credentials(authority.read_bytes()))
    await door.stop(0.0)


async def test_tls_with_a_certificate_that_cannot_be_read_leaves_what_is_served(tmp_path: Path) -> None:
    door, port = GrpcDoor(), free_port()
    await door.show(served(FakeEngine()), Options(grpc_port=port), tmp_path, stop_s=0.0)
    with pytest.raises(ProviderError, match="cannot be read"):
        await door.show(served(FakeEngine()), Options(grpc_port=port, tls=True), tmp_path, stop_s=0.0)
    assert await answers(door.address)
    await door.stop(0.0)


async def test_a_port_that_is_taken_is_an_error_before_anything_is_shown(tmp_path: Path) -> None:
    door = GrpcDoor()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = Options(grpc_port=taken.getsockname()[1])
        with pytest.raises(ProviderError, match="is in use by") as refused:
            door.check(options)
    assert "grpc_port" in (refused.value.hint or "")
