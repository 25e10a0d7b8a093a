import signal

from preheat.runtime.supervision import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, backoff_s, describe_exit


def test_the_back_off_doubles_up_to_a_bound() -> None:
    assert backoff_s(0) == 0
    assert [backoff_s(n) / FIRST_BACKOFF_S for n in (1, 2, 3)] == [1, 2, 4]
    assert backoff_s(10_000) == LONGEST_BACKOFF_S


def test_the_end_of_a_process_is_said_in_words() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-signal.SIGSEGV) == "SIGSEGV"
    assert describe_exit(-signal.SIGKILL).startswith("SIGKILL: killed")
    assert "setup_s" in describe_exit(-signal.SIGALRM)
    assert describe_exit(-99) == "signal 99"
    assert describe_exit(None) == "it is gone"
