import os
import socket

import pytest

from preheat.errors import ProviderError
from preheat.runtime.server.listening import address_of, bind, holder_of

HINT = "take another one"


def test_a_port_in_use_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"pid {os.getpid()}" in (holder_of(port) or "")
        with pytest.raises(ProviderError, match=f"Port {port} .* is in use by .*pid {os.getpid()}") as caught:
            bind("127.0.0.1", port, hint=HINT)
        assert caught.value.hint == HINT
    assert holder_of(port) is None
    bind("127.0.0.1", port, hint=HINT).close()


def test_an_address_that_is_not_of_this_machine_is_an_error() -> None:
    with pytest.raises(ProviderError, match=r"Cannot listen on 192\.0\.2\.1:0: "):
        bind("192.0.2.1", 0, hint=HINT)


def test_asyncio_can_see_that_a_listener_speaks_tcp_and_turns_nagle_off() -> None:
    with bind("127.0.0.1", 0, hint=HINT) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_listener_knows_its_address() -> None:
    with bind("127.0.0.1", 0, hint=HINT) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    with bind("::1", 0, hint=HINT) as listener:
        assert address_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
