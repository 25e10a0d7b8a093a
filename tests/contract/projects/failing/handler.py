import os
import time

import preheat


class Model(preheat.Handler):
    """Fails in the way that it is asked to."""

    def predict(self, way: str) -> str:
        match way:
            case "raise":
                raise RuntimeError("the password is hunter2")
            case "refuse":
                raise preheat.BadInput("Not this one.")
            case "exit":
                os._exit(3)
            case "sleep":
                time.sleep(60)
            case _:
                print("all is well with", way)
                return way

    def examples(self) -> list[str]:
        return ["nothing"]
