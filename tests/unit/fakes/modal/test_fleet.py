"""The end of the containers of Modal's control plane."""

import asyncio
from pathlib import Path
from typing import cast

from grpclib.server import Server
from modal_proto import api_pb2
from tests.fakes.modal.container import Container, Runner
from tests.fakes.modal.fleet import Fleet
from tests.fakes.modal.state import App, Function, State


class Ended:
    """A runner whose containers end as soon as `end` is set."""

    def __init__(self) -> None:
        self.began, self.end = asyncio.Event(), asyncio.Event()

    async def run(self, container: Container, address: str) -> None:
        del address
        self.began.set()
        await self.end.wait()
        container.exit_code = 0


async def close_while_the_last_one_ends(folder: Path) -> None:
    runner = Ended()
    fleet = Fleet(State(folder), cast("Runner", runner))
    fleet.serve = lambda container: Server([])
    app = App("ap", "zoo", "main", api_pb2.APP_STATE_DEPLOYED)
    fleet.start(Function("fu", app, "Zoo", api_pb2.FunctionPrecreateRequest()))
    await runner.began.wait()
    runner.end.set()
    closing = asyncio.create_task(fleet.close())  # runs after the container has ended, before its task has
    await closing


def test_a_container_that_ends_in_the_same_turn_does_not_keep_the_plane_from_closing(tmp_path: Path) -> None:
    asyncio.run(close_while_the_last_one_ends(tmp_path))
