"""Another user of this machine listens where the supervisor of this home would be, or has been."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.fakes.local import Local

import preheat
from preheat.errors import ProviderError

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user"),
]

NOBODY = 65534
STRANGER = f"""
import json, os, socket, sys
door = socket.socket(fileno=int(sys.argv[1]))
os.setgid({NOBODY}), os.setuid({NOBODY})
door.listen()
print("listening", flush=True)
while True:
    stream = door.accept()[0].makefile("rwb")
    for line in stream:
        op = json.loads(line)["op"]
        if op != "hello":
            print("got", op, flush=True)
        stream.write(json.dumps({{"result": {{"version": {preheat.__version__!r}}}}}).encode() + b"\\n")
        stream.flush()
"""

Squat = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose path is short enough for sockets; $XDG_RUNTIME_DIR names it."""
    with TemporaryDirectory(prefix="ph-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def squat(runtime: Path) -> Iterator[Squat]:
    """Have a process of another user listen in a folder, which it owns as well as the one around it."""
    with ExitStack() as opened:

        def begin(folder: Path) -> "subprocess.Popen[str]":
            folder.mkdir(parents=True)
            door = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            door.bind(str(folder / "admin.sock"))
            for place in (folder, folder.parent):
                os.chown(place, NOBODY, NOBODY)
            process = subprocess.Popen(
                [sys.executable, "-c", STRANGER, str(door.fileno())],
                pass_fds=(door.fileno(),),
                stdout=subprocess.PIPE,
                text=True,
            )
            opened.enter_context(process)
            opened.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "listening\n"
            return process

        yield begin


def heard(stranger: "subprocess.Popen[str]") -> str:
    """End the stranger and return what it was told."""
    stranger.kill()
    return stranger.communicate()[0]


@pytest.fixture
def keyed(runtime: Path, local: Local, monkeypatch: pytest.MonkeyPatch) -> Local:
    """A home whose project has a secret, and whose sockets lie below `runtime` until it is shut down."""
    monkeypatch.setenv("MY_KEY", "s3cret")
    local.configure(secrets={"API_KEY": "env:MY_KEY"})
    return local


def test_whoever_took_the_place_of_a_killed_supervisor_is_told_nothing(
    keyed: Local, runtime: Path, squat: Squat
) -> None:
    stranger = squat(runtime / "left" / "sockets")
    lock = keyed.client.paths.lock
    lock.parent.mkdir(mode=0o700)
    lock.write_text(json.dumps({"pid": 1, "sockets": str(runtime / "left" / "sockets")}))
    assert keyed.deploy().changed
    assert keyed.answer("x") == "X"
    assert heard(stranger) == ""


def test_a_folder_for_sockets_that_was_taken_is_an_error_and_its_owner_is_told_nothing(
    keyed: Local, squat: Squat
) -> None:
    sockets = keyed.client.paths.sockets
    stranger = squat(sockets)
    with pytest.raises(ProviderError, match=rf"{sockets.parent} belongs to another user") as refused:
        keyed.deploy()
    assert "export XDG_RUNTIME_DIR=" in str(refused.value.hint)
    assert (sockets / "admin.sock").exists()
    assert heard(stranger) == ""
