"""Memory that loading a model took and no longer needs, back to the operating system."""

import threading

SETTLED_S = 1.0
"""How long after a process is ready: the first requests should not share the processor with it."""


def give_back_memory() -> None:
    """Have the C library return free memory, on a thread of its own.

    A session reads its weights, packs them anew and frees the first copy; glibc keeps those pages
    (malloc_trim(3)). Elsewhere this does nothing.
    """
    threading.Thread(target=_trim, name="preheat-trim", daemon=True).start()


def _trim() -> None:
    import ctypes  # 3 ms, of nobody's time by now

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
