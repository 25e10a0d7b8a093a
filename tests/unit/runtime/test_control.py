import json
import os
import socket
import sys

import pytest

from preheat.runtime.control import Control


def pair() -> tuple[Control, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Control(ours), theirs


def test_events_are_lines_of_json_whatever_text_they_hold() -> None:
    control, supervisor = pair()
    control.send({"event": "failed", "message": "zwei\nZeilen, \ud800"})
    control.close()
    with supervisor:
        data = supervisor.recv(4096)
    assert data.count(b"\n") == 1
    assert json.loads(data)["event"] == "failed"


def test_orders_come_whole_however_they_are_cut() -> None:
    control, supervisor = pair()
    with supervisor:
        supervisor.sendall(b'{"op": "fork"}\n{"op": "dr')
        assert control.receive() == [{"op": "fork"}]
        supervisor.sendall(b'ain"}\n')
        assert control.receive() == [{"op": "drain"}]
    control.close()


@pytest.mark.skipif(sys.platform != "linux", reason="forks the test process")
@pytest.mark.parametrize("what", ["send", "receive"])
def test_without_a_supervisor_the_process_ends(what: str) -> None:
    control, supervisor = pair()
    supervisor.close()
    pid = os.fork()
    if pid == 0:
        control.send({"event": "ready"}) if what == "send" else control.receive()
        os._exit(99)
    control.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
