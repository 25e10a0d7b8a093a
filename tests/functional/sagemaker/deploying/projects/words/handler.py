from dataclasses import dataclass

import preheat

VERSION = "first"


@dataclass
class Counted:
    size: int
    version: str
    told: str


class Model(preheat.Handler):
    """Counts the bytes of a file, and fails for some."""

    def predict(self, file: preheat.File, call: preheat.Call) -> Counted:
        if file.data.startswith(b"poison"):
            raise RuntimeError("this one never works")
        if file.data.startswith(b"bad"):
            raise preheat.BadInput("no such word")
        return Counted(len(file.data), VERSION, call.headers.get("x-amzn-sagemaker-custom-attributes", ""))

    def examples(self) -> list[preheat.File]:
        return [preheat.File(b"ab", "text/plain")]
