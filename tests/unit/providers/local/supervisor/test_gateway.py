import socket

import pytest

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.gateway import bind


def test_a_port_in_use_is_an_error_with_the_key_that_chooses_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ProviderError) as caught:
        bind(taken.getsockname()[1])
    assert "[provider.local] port = ..." in (caught.value.hint or "")
