import asyncio
import socket
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from tests.fakes.home import fake_home
from tests.fakes.ports import free_port
from tests.fakes.raw_http import exchange

from preheat.errors import NotDeployed, ProviderError
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.tls import make_certificates

pytestmark = pytest.mark.anyio

T = TypeVar("T")

FUNCTION = "demo@dev"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def waiting(order: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Begin `order`, whose first step finds that it must wait."""
    task = asyncio.create_task(order)
    await asyncio.sleep(0)
    assert not task.done()
    return task


def port(deployment: dict[str, Any]) -> int:
    return urlsplit(deployment["endpoint"]).port or 0


async def get(port: int, path: bytes) -> int:
    """GET `path` and return the answer's status."""
    answer = await exchange(port, b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path)
    return int(answer.split()[1])


async def test_a_deploy_while_the_function_is_destroyed_makes_it_anew(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        await fake.deploy("one")
        gate = fake.background.hold("detach")
        destroying = await waiting(fake.home.destroy("demo", "dev"))
        await gate.reached.wait()
        deploying = await waiting(fake.deploy("two"))
        gate.opened.set()

        assert "release 1" in (await destroying)["removed"]
        made = await deploying
        assert (made["release"], made["changed"]) == (1, True)
        assert fake.deployed == {"demo": "two"}
        assert fake.home.engine_of(FUNCTION) is not None
        assert fake.background.attached == {FUNCTION: "two"}
        assert await get(port(made), b"/healthz") == 200
        assert fake.emptied == [], "the supervisor would end under what was deployed"
        assert not fake.home.empty


async def test_the_first_of_two_first_deploys_that_fails_leaves_the_other_alone(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        fake.background.broken.add("one")
        gate = fake.background.hold("one")
        first = await waiting(fake.deploy("one"))
        await gate.reached.wait()
        second = await waiting(fake.deploy("two"))
        gate.opened.set()

        with pytest.raises(ProviderError, match="No bucket for one"):
            await first
        assert (await second)["digest"] == "two"
        assert fake.deployed == {"demo": "two"}
        assert fake.home.engine_of(FUNCTION) is not None


async def test_each_of_two_first_deploys_that_fail_has_its_own_error(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        fake.background.broken |= {"one", "two"}
        gate = fake.background.hold("one")
        first = await waiting(fake.deploy("one"))
        await gate.reached.wait()
        second = await waiting(fake.deploy("two"))
        gate.opened.set()

        for order, digest in ((first, "one"), (second, "two")):
            with pytest.raises(ProviderError, match=f"No bucket for {digest}"):
                await order
        assert fake.deployed == {}
        assert fake.state.functions() == ()
        assert fake.home.empty


async def test_orders_that_wait_for_a_destroy_find_nothing_to_change(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        await fake.deploy("one")
        await fake.deploy("two")
        gate = fake.background.hold("detach")
        destroying = await waiting(fake.home.destroy("demo", "dev"))
        orders = [
            await waiting(fake.home.rollback("demo", "dev", None)),
            await waiting(fake.home.promote("demo", "dev", 0.5)),
            await waiting(fake.home.destroy("demo", "dev")),
        ]
        gate.opened.set()
        await destroying
        for order in orders:
            with pytest.raises(NotDeployed):
                await order
        assert fake.home.empty


async def test_the_last_destroy_says_that_nothing_is_left(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        await fake.deploy("one")
        await fake.deploy("two", name="other")
        await fake.home.destroy("demo", "dev")
        assert fake.emptied == []
        assert (await fake.home.destroy("other", "dev"))["left"] == []
        assert fake.emptied == [None]
        assert fake.home.empty


async def test_a_deploy_holds_up_neither_another_function_nor_a_question(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        await fake.deploy("one")
        gate = fake.background.hold("two")
        deploying = await waiting(fake.deploy("two"))
        await gate.reached.wait()
        await fake.deploy("three", name="other")
        assert fake.deployed == {"demo": "one", "other": "three"}
        assert fake.home.engine_of(FUNCTION) is not None
        assert fake.home.function("demo", "dev").deployment()["release"] == 1
        gate.opened.set()
        await deploying
        assert fake.deployed == {"demo": "two", "other": "three"}


async def test_a_release_whose_port_is_taken_meanwhile_leaves_every_address_of_the_old_one(
    tmp_path: Path,
) -> None:
    old, new, wanted = free_port(), free_port(), free_port()
    async with fake_home(tmp_path) as fake:
        made = await fake.deploy("one", options=Options(grpc_port=old))
        front = fake.home.function("demo", "dev").front
        gate = fake.background.hold("two")
        deploying = await waiting(fake.deploy("two", options=Options(grpc_port=new, port=wanted)))
        await gate.reached.wait()
        with socket.create_server(("127.0.0.1", wanted)):
            gate.opened.set()
            with pytest.raises(ProviderError, match=f"Port {wanted} .*in use"):
                await deploying
        assert (front.url, front.grpc.address) == (made["endpoint"], f"127.0.0.1:{old}")
        assert fake.background.attached == {FUNCTION: "one"}
        assert await get(port(made), b"/healthz") == 200


async def test_a_port_lost_while_https_is_turned_on_is_said_until_a_deploy_gets_it_again(
    tmp_path: Path,
) -> None:
    async with fake_home(tmp_path) as fake:
        kept = port(await fake.deploy("one"))
        make_certificates(fake.paths.tls)
        gate = fake.background.slow_jobs.gate
        in_hand = asyncio.create_task(get(kept, b"/jobs/1"))
        await gate.reached.wait()
        deploying = await waiting(fake.deploy("two", options=Options(tls=True)))
        with await listener(kept):  # it is closed for new connections, and the request is in hand
            gate.opened.set()
            with pytest.raises(ProviderError, match=f"Port {kept} .*in use"):
                await deploying
            (status,) = fake.home.statuses("demo", "dev")
            assert not status["ready"]
            assert "in use" in status["details"]["error"]
        assert await in_hand == 404

        again = await fake.deploy("one")
        assert (port(again), again["changed"]) == (kept, True)
        assert await get(kept, b"/healthz") == 200


async def listener(port: int) -> socket.socket:
    """Return a socket that listens on `port`, as soon as it can be had."""
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0)


async def test_https_with_a_certificate_that_cannot_be_read_leaves_the_old_endpoint(tmp_path: Path) -> None:
    async with fake_home(tmp_path) as fake:
        made = await fake.deploy("one")
        fake.paths.tls.mkdir()
        (fake.paths.tls / "server.pem").write_text("half")
        with pytest.raises(ProviderError, match="cannot be read") as caught:
            await fake.deploy("two", options=Options(tls=True))
        assert isinstance(caught.value.__cause__, ssl.SSLError)
        assert await get(port(made), b"/healthz") == 200
        assert fake.deployed == {"demo": "one"}
