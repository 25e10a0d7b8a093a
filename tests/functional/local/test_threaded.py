from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fakes.local import Local

from preheat.project.model import Scaling

pytestmark = pytest.mark.runtime

MEETING = """
    import os
    import threading
    import preheat

    class Model(preheat.Handler):
        def restore(self, ctx):
            self.together = threading.Barrier(3)  # a lock: made in each process

        @preheat.threaded(threads=3)
        def predict(self, text: str) -> str:
            self.together.wait(120)
            return f"{text} {os.getpid()}"
"""


def test_requests_overlap_in_the_threads_of_one_forked_worker(local: Local) -> None:
    local.configure(scaling=Scaling(max=1))
    local.deploy(MEETING)

    with ThreadPoolExecutor(3) as callers:
        answers = [answer.split() for answer in callers.map(local.answer, "abc")]

    assert [text for text, _ in answers] == ["a", "b", "c"]
    assert len({pid for _, pid in answers}) == 1
    assert local.status().details["zygote"][0]["state"] == "up", "threads begin after the fork"
