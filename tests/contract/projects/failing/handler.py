import os
import time

import preheat


class Model(preheat.Handler):
    """Fails in the way that it is asked to."""

    def predict(self, way: str) -> str:
        if way == "raise":
            raise RuntimeError("the password is hunter2")
        if way == "refuse":
            raise preheat.BadInput("Not this one.")
        if way == "exit":
            os._exit(3)
        if way == "sleep":
            time.sleep(60)
        print("all is well with", way)  # noqa: T201 - the suite looks for it in the logs
        return way

    def examples(self) -> list[str]:
        return ["nothing"]
