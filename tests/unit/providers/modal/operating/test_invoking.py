from preheat.errors import DeadlineExceeded, WorkerDied
from preheat.interface.message import Request
from preheat_providers.modal.operating.invoking import _failure, asked


def test_a_request_is_plain_data() -> None:
    request = Request(
        id="r", body=b"x", content_type="a/b", accept="c/d", timeout_s=1.5, headers={"X-Preheat-A": "1"}
    )
    assert asked(request) == {
        "body": b"x",
        "headers": {
            "x-preheat-a": "1",
            "x-request-id": "r",
            "content-type": "a/b",
            "accept": "c/d",
            "x-preheat-timeout-s": "1.5",
        },
    }


def test_what_modal_ended_is_a_timeout_or_a_death() -> None:
    assert isinstance(_failure(("FunctionTimeoutError", "TimeoutError", "Error"), ""), DeadlineExceeded)
    assert isinstance(_failure(("RemoteError", "Error"), "killed"), WorkerDied)


def test_of_a_traceback_only_the_end_is_told_which_says_why() -> None:
    said = "Here is the remote traceback:\n  File\npreheat.runtime.loader.PhaseFailed: setup: ValueError: x\n"
    assert _failure(("ExecutionError", "Error"), said).message.endswith("answered: setup: ValueError: x")
    assert _failure(("RemoteError", "Error"), "killed").message.endswith("answered: killed")
