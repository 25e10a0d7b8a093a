"""Answers in one piece, for a platform that wants to know their length before the first byte."""

from preheat.errors import RequestError
from preheat.interface.message import Engine, Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.answers import collected


class Whole:
    """An engine whose streams are collected."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; a stream that broke off is the problem that it ended with."""
        try:
            return await collected(await self._engine.invoke(request))
        except RequestError as error:
            return problem_response(error, request_id=request.id)
