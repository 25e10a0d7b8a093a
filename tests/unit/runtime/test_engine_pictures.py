import asyncio
import gc
import io
import threading

import PIL.Image
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

import preheat
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.runtime.engine import ModelEngine
from preheat.runtime.model_thread import ModelThread


class Sized(preheat.Handler):
    gate = threading.Event()

    def predict(self, picture: preheat.Image) -> int:
        self.gate.wait(PATIENCE_S)
        return picture.pillow().width


def png(width: int) -> bytes:
    written = io.BytesIO()
    PIL.Image.new("1", (width, 1)).save(written, "PNG")
    return written.getvalue()


def decoded() -> int:
    """How many pictures there are that were made since `gc.freeze`."""
    gc.collect()
    return sum(type(each) is preheat.Image for each in gc.get_objects())


def run(count: int) -> tuple[list[Response], int]:
    """Ask for `count` pictures at once; return the answers, and how many were decoded meanwhile."""

    async def main() -> tuple[list[Response], int]:
        thread = ModelThread()
        threading.Thread(target=thread.run, name="model", daemon=True).start()
        engine = ModelEngine(model_of(Sized, limits=Limits()), thread)
        asked = [
            asyncio.create_task(engine.invoke(Request(id="r", body=png(width + 1), content_type="image/png")))
            for width in range(count)
        ]
        most = looks = 0
        try:
            while most < 2 or looks < 20:
                await asyncio.sleep(0.01)
                most = max(most, decoded())
                looks += 1
            Sized.gate.set()
            return await asyncio.gather(*asked), most
        finally:
            Sized.gate.set()
            thread.shutdown()

    Sized.gate.clear()
    gc.freeze()  # what other tests have left need not be looked through, twenty times
    try:
        return asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    finally:
        gc.unfreeze()


def test_no_more_pictures_are_decoded_than_the_model_takes_and_one() -> None:
    answers, most = run(8)
    assert sorted(answer.body for answer in answers) == [str(width + 1).encode() for width in range(8)]
    assert most == 2
