"""What somebody writes who wants no framework: one ASGI function."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal

app = modal.App("hand-written-bare")
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
        async def application(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                while True:
                    kind = (await receive())["type"]
                    await send({"type": f"{kind}.complete"})
                    if kind == "lifespan.shutdown":
                        return
            body = b""
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
            answer = json.dumps(self.predict(json.loads(body))).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer, "more_body": False})

        return application
