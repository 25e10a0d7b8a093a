"""What everything that keeps processes running shares: how one ended, and when to start it again."""

import signal

FIRST_BACKOFF_S = 0.25
LONGEST_BACKOFF_S = 60.0


def backoff_s(failures: int) -> float:
    """Return how long to wait after that many failures in a row, doubling from a quarter of a second."""
    if failures <= 0:
        return 0.0
    return float(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(failures - 1, 30)))


def describe_exit(code: int | None) -> str:
    """Say how a process ended; `code` is negative for a signal and None where nobody could see it."""
    if code is None:
        return "it is gone"
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    reason = {
        "SIGKILL": ": killed, perhaps for want of memory",
        "SIGALRM": ": setup took longer than limits.setup_s",
    }
    return f"{name}{reason.get(name, '')}"
