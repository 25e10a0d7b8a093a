import socket
from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.gateway import LOWEST_PORT, bind, bind_lasting


def test_a_port_in_use_is_an_error_with_the_key_that_chooses_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ProviderError) as caught:
        bind(taken.getsockname()[1])
    assert "[provider.local] port = ..." in (caught.value.hint or "")


def test_a_port_that_lasts_is_none_that_outgoing_connections_get(tmp_path: Path) -> None:
    ephemeral = tmp_path / "ip_local_port_range"
    ephemeral.write_text("21000\t60999\n")
    with bind_lasting(ephemeral) as listener:
        assert listener.getsockname()[1] in range(LOWEST_PORT, 21_000)


@pytest.mark.parametrize("ports", ["1024 65535", f"{LOWEST_PORT} 60999", None])
def test_without_ports_below_those_of_outgoing_connections_it_is_any(
    tmp_path: Path, ports: str | None
) -> None:
    ephemeral = tmp_path / "ip_local_port_range"
    if ports is not None:
        ephemeral.write_text(ports)
    with bind_lasting(ephemeral) as listener:
        assert listener.getsockname()[1] > 0


def test_where_no_port_that_lasts_is_free_it_is_any(tmp_path: Path) -> None:
    ephemeral = tmp_path / "ip_local_port_range"
    ephemeral.write_text(f"{LOWEST_PORT + 1} 60999")
    with bind_lasting(ephemeral) as first:
        first.listen()
        with bind_lasting(ephemeral) as second:
            assert first.getsockname() != second.getsockname()
