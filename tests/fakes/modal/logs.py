"""What the containers of an app wrote: fetched, counted and followed."""

import math
from collections.abc import AsyncIterator
from itertools import groupby

from google.protobuf.timestamp_pb2 import Timestamp
from modal_proto import api_pb2
from tests.fakes.modal.state import LogLine, State

Request = api_pb2.AppFetchLogsRequest | api_pb2.AppGetLogsRequest | api_pb2.AppCountLogsRequest


class Logs:
    """The calls of logs."""

    def __init__(self, state: State) -> None:
        self._state = state

    def AppFetchLogs(self, request: api_pb2.AppFetchLogsRequest) -> api_pb2.AppFetchLogsResponse:
        lines = self._lines(request, request.source)
        latest = lines[-request.limit :] if request.limit else lines
        return api_pb2.AppFetchLogsResponse(batches=[_batch(line) for line in latest])

    def AppCountLogs(self, request: api_pb2.AppCountLogsRequest) -> api_pb2.AppCountLogsResponse:
        width = request.bucket_secs
        buckets = []
        for start, group in groupby(self._lines(request, request.source), lambda line: line.at // width):
            lines = list(group)
            errors = sum(line.descriptor == api_pb2.FILE_DESCRIPTOR_STDERR for line in lines)
            buckets.append(
                api_pb2.AppCountLogsResponse.LogBucket(
                    bucket_start_at=Timestamp(seconds=int(start * width)),
                    stdout_logs=len(lines) - errors,
                    stderr_logs=errors,
                )
            )
        return api_pb2.AppCountLogsResponse(app_id=request.app_id, buckets=buckets)

    async def AppGetLogs(self, request: api_pb2.AppGetLogsRequest) -> AsyncIterator[api_pb2.TaskLogsBatch]:
        app = self._state.app(request.app_id)
        seen = int(request.last_entry_id.partition("-")[0] or 0)
        looked_at = 0

        def changed() -> bool:
            return len(app.logs) > looked_at or app.stopped_at > 0

        while True:
            looked_at = len(app.logs)
            new = [line for line in self._lines(request, request.file_descriptor) if line.number > seen]
            for line in new:
                yield _batch(line)
                seen = line.number
            if app.stopped_at:
                yield api_pb2.TaskLogsBatch(app_done=True)
                return
            if not new and not await self._state.bell.until(changed, request.timeout):
                return

    def _lines(self, request: Request, source: "api_pb2.FileDescriptor.ValueType") -> list[LogLine]:
        since, until = 0.0, math.inf
        if not isinstance(request, api_pb2.AppGetLogsRequest):
            since = request.since.ToNanoseconds() / 1e9
            until = request.until.ToNanoseconds() / 1e9 or until
        return [
            line
            for line in self._state.app(request.app_id).logs
            if request.task_id in ("", line.task)
            and request.function_id in ("", line.function)
            and source in (api_pb2.FILE_DESCRIPTOR_UNSPECIFIED, line.descriptor)
            and request.search_text in line.text
            and since <= line.at <= until
        ]


def _batch(line: LogLine) -> api_pb2.TaskLogsBatch:
    item = api_pb2.TaskLogs(
        data=line.text,
        file_descriptor=line.descriptor,
        timestamp=line.at,
        timestamp_ns=int(line.at * 1e9),
        container_id=line.task,
    )
    return api_pb2.TaskLogsBatch(
        task_id=line.task, function_id=line.function, entry_id=f"{line.number}-0", items=[item]
    )
