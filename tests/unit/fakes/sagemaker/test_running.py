"""Instances of SageMaker as processes of this machine: their end."""

import socket
import subprocess
import threading
from pathlib import Path

import pytest
from tests.fakes.sagemaker.running import Instance, Unpacked


class Reaped(Instance):
    """Its process ends by itself, which its keeper has seen: nothing has been started again yet."""

    reaped = threading.Event()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["true"], start_new_session=True)

    def _keep(self) -> None:
        self._process.wait()
        self.reaped.set()


def test_an_instance_whose_process_has_just_ended_by_itself_is_closed(tmp_path: Path) -> None:
    instance = Reaped(Unpacked(tmp_path, (), {}), {}, tmp_path / "log")
    host, _, port = instance.address.removeprefix("http://").partition(":")
    instance.reaped.wait()
    instance.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
