"""What most people write: FastAPI, with a model of the input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal

app = modal.App("hand-written-web")
image = modal.Image.debian_slim(python_version="3.11").uv_pip_install(
    requirements=[str(Path(__file__).with_name("requirements.txt"))],
    extra_options="--no-deps --require-hashes --only-binary :all:",
)


@app.cls(image=image)
@modal.concurrent(max_inputs=2, target_inputs=1)
class Model:
    @modal.enter()
    def load(self) -> None:
        self.predict: Callable[[Any], Any] = lambda query: query

    @modal.asgi_app()
    def web(self) -> Any:
        from fastapi import FastAPI
        from pydantic import BaseModel

        class Query(BaseModel):
            text: str
            times: int

        web = FastAPI()

        @web.post("/invocations")
        def endpoint(query: Query) -> Any:
            return self.predict(query.model_dump())

        return web
