import os
import socket

import pytest

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.gateway import bind, holder_of


def test_a_port_in_use_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"pid {os.getpid()}" in (holder_of(port) or "")
        with pytest.raises(ProviderError, match=f"Port {port} .* is in use by .*pid {os.getpid()}"):
            bind(port)
    assert holder_of(port) is None
    bind(port).close()


def test_asyncio_can_see_that_a_listener_speaks_tcp_and_turns_nagle_off() -> None:
    with bind(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
