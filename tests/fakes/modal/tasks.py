"""The calls that a container makes about itself."""

import asyncio
from collections.abc import AsyncIterator, Callable

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2
from tests.fakes.modal.container import Container, Stage
from tests.fakes.modal.exchange import Exchange
from tests.fakes.modal.state import State, not_found

INPUT_WAIT_S = 10.0
HEARTBEAT_WAIT_S = 10.0
"""Below the 15 s after which the client sends the next one; a cancellation answers at once."""


class Tasks:
    """What one container may ask; `checkpointed` is told of its checkpoint."""

    def __init__(
        self,
        state: State,
        exchange: Exchange,
        container: Container,
        checkpointed: Callable[[Container], None],
    ) -> None:
        self._state = state
        self._exchange = exchange
        self._container = container
        self._checkpointed = checkpointed

    def ContainerHello(self, _: Empty) -> Empty:
        self._reached("hello")
        return Empty()

    async def ContainerHeartbeat(
        self, _: api_pb2.ContainerHeartbeatRequest
    ) -> api_pb2.ContainerHeartbeatResponse:
        container = self._container

        def cancelled() -> list[str]:  # until it ends: what the container does not know yet, it ignores
            return [one.id for one in container.cancelled if one.output is None]

        ids = await self._state.bell.until(cancelled, HEARTBEAT_WAIT_S)
        if not ids:
            return api_pb2.ContainerHeartbeatResponse()
        return api_pb2.ContainerHeartbeatResponse(cancel_input_event=api_pb2.CancelInputEvent(input_ids=ids))

    def ContainerCheckpoint(self, _: api_pb2.ContainerCheckpointRequest) -> Empty:
        self._reached("checkpoint")
        self._checkpointed(self._container)
        return Empty()

    def TaskResult(self, request: api_pb2.TaskResultRequest) -> Empty:
        self._container.failure = request.result
        return Empty()

    def FunctionGetDynamicConcurrency(
        self, request: api_pb2.FunctionGetDynamicConcurrencyRequest
    ) -> api_pb2.FunctionGetDynamicConcurrencyResponse:
        return api_pb2.FunctionGetDynamicConcurrencyResponse(concurrency=request.target_concurrency)

    async def FunctionGetInputs(
        self, request: api_pb2.FunctionGetInputsRequest
    ) -> api_pb2.FunctionGetInputsResponse:
        container, function = self._container, self._container.function
        self._reached("ready")
        await self._state.bell.until(lambda: container.draining or len(function.queue) > 0, INPUT_WAIT_S)
        if container.draining:
            last = api_pb2.FunctionGetInputsItem(kill_switch=True)
            return api_pb2.FunctionGetInputsResponse(inputs=[last])
        most = max(1, request.batch_max_size)
        taken = self._exchange.take(function, container.id, most)
        if taken and request.batch_linger_ms and len(taken) < most:
            await asyncio.sleep(request.batch_linger_ms / 1000)
            taken += self._exchange.take(function, container.id, most - len(taken))
        return api_pb2.FunctionGetInputsResponse(
            inputs=[
                api_pb2.FunctionGetInputsItem(
                    input_id=one.id,
                    function_call_id=one.call.id,
                    input=one.body,
                    retry_count=one.retry,
                    function_call_invocation_type=one.call.invocation,
                )
                for one in taken
            ]
        )

    def FunctionPutOutputs(self, request: api_pb2.FunctionPutOutputsRequest) -> Empty:
        calls = self._state.calls.values()
        for item in request.outputs:
            one = next(call.inputs[item.input_id] for call in calls if item.input_id in call.inputs)
            output = api_pb2.FunctionGetOutputsItem(
                result=item.result,
                idx=one.index,
                input_id=one.id,
                data_format=item.data_format,
                task_id=self._container.id,
                input_started_at=item.input_started_at,
                output_created_at=item.output_created_at,
                retry_count=item.retry_count,
            )
            self._exchange.settle(one, output)
        return Empty()

    async def FunctionCallGetDataIn(
        self, request: api_pb2.FunctionCallGetDataRequest
    ) -> AsyncIterator[api_pb2.DataChunk]:
        if request.function_call_id not in self._state.calls:
            raise not_found(f"Function call {request.function_call_id}")
        call = self._state.calls[request.function_call_id]
        sent = request.last_index
        while await self._state.bell.longer(call.data_in, sent):
            for chunk in call.data_in[sent:]:  # until the container has enough and resets the stream
                yield chunk
                sent += 1

    def FunctionCallPutDataOut(self, request: api_pb2.FunctionCallPutDataRequest) -> Empty:
        self._state.calls[request.function_call_id].data_out.extend(request.data_chunks)
        self._state.bell.ring()
        return Empty()

    def _reached(self, stage: Stage) -> None:
        self._container.reached(stage)
        self._state.bell.ring()
