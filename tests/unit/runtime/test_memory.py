import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, threading
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def resident_mb():
    with open("/proc/self/statm") as text:
        return int(text.read().split()[1]) * 4096 / 2**20

blocks = [libc.malloc(60_000) for _ in range(1000)]
for block in blocks:
    ctypes.memset(block, 1, 60_000)
held = libc.malloc(60_000)  # above them all, so that freeing alone does not shrink the heap
for block in blocks:
    libc.free(block)
before = resident_mb()
from preheat.runtime.memory import give_back_memory
give_back_memory()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(before - resident_mb())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps freed memory")
def test_what_was_freed_goes_back_to_the_operating_system() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 30
