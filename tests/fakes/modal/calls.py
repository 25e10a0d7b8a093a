"""Calls as their callers see them: started, fed, awaited, retried, cancelled."""

from collections.abc import AsyncIterator, Callable

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2
from tests.fakes.modal.exchange import Exchange
from tests.fakes.modal.state import Call, Input, State, not_found

STREAM_WAIT_S = 55.0


class Calls:
    """The calls of callers, by the control plane: no handle here carries an address of an input plane."""

    def __init__(self, state: State, exchange: Exchange, cancel: Callable[[Input], None]) -> None:
        self._state = state
        self._exchange = exchange
        self._cancel = cancel

    def FunctionMap(self, request: api_pb2.FunctionMapRequest) -> api_pb2.FunctionMapResponse:
        function = self._state.function(request.function_id)
        call = self._exchange.call(function, request.function_call_invocation_type)
        policy = function.definition.retry_policy
        return api_pb2.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.id,
            retry_policy=policy,
            sync_client_retries_enabled=True,
            max_inputs_outstanding=1000,
            pipelined_inputs=self._put(call, list(request.pipelined_inputs)),
        )

    def FunctionPutInputs(
        self, request: api_pb2.FunctionPutInputsRequest
    ) -> api_pb2.FunctionPutInputsResponse:
        call = self._call(request.function_call_id)
        return api_pb2.FunctionPutInputsResponse(inputs=self._put(call, list(request.inputs)))

    def FunctionRetryInputs(
        self, request: api_pb2.FunctionRetryInputsRequest
    ) -> api_pb2.FunctionRetryInputsResponse:
        call = self._call(request.function_call_jwt)
        for item in request.inputs:
            self._exchange.again(call.inputs[item.input_jwt])
        return api_pb2.FunctionRetryInputsResponse(input_jwts=[item.input_jwt for item in request.inputs])

    async def FunctionGetOutputs(
        self, request: api_pb2.FunctionGetOutputsRequest
    ) -> api_pb2.FunctionGetOutputsResponse:
        call = self._call(request.function_call_id)
        seen = int(request.last_entry_id.partition("-")[0] or 0)
        ranged = request.HasField("start_idx")

        def new() -> list[api_pb2.FunctionGetOutputsItem]:
            if not ranged:
                return call.outputs[seen:]
            done = [one.output for one in call.inputs.values() if one.output is not None]
            return [item for item in done if request.start_idx <= item.idx <= request.end_idx]

        outputs = await self._state.bell.until(new, request.timeout)
        return api_pb2.FunctionGetOutputsResponse(
            outputs=outputs,
            idxs=[item.idx for item in outputs],
            last_entry_id=f"{seen + len(outputs)}-0",
            num_unfinished_inputs=sum(one.output is None for one in call.inputs.values()),
        )

    def FunctionCallCancel(self, request: api_pb2.FunctionCallCancelRequest) -> Empty:
        for one in self._call(request.function_call_id).inputs.values():
            if one.output is None:
                self._cancel(one)
        return Empty()

    def FunctionCallFromId(
        self, request: api_pb2.FunctionCallFromIdRequest
    ) -> api_pb2.FunctionCallFromIdResponse:
        call = self._call(request.function_call_id)
        return api_pb2.FunctionCallFromIdResponse(
            function_call_id=call.id,
            num_inputs=len(call.inputs),
            metadata=api_pb2.FunctionCallHandleMetadata(
                app_id=call.function.app.id, function_id=call.function.id
            ),
        )

    def FunctionGetCallGraph(
        self, request: api_pb2.FunctionGetCallGraphRequest
    ) -> api_pb2.FunctionGetCallGraphResponse:
        call = self._call(request.function_call_id)
        inputs = [
            api_pb2.InputCallGraphInfo(
                input_id=one.id,
                function_call_id=call.id,
                task_id=one.container,
                status=(one.output.result if one.output else api_pb2.GenericResult()).status,
            )
            for one in call.inputs.values()
        ]
        known = api_pb2.FunctionCallCallGraphInfo(
            function_call_id=call.id, function_name=call.function.name, module_name=_module(call)
        )
        return api_pb2.FunctionGetCallGraphResponse(inputs=inputs, function_calls=[known])

    async def FunctionCallGetDataOut(
        self, request: api_pb2.FunctionCallGetDataRequest
    ) -> AsyncIterator[api_pb2.DataChunk]:
        call = self._call(request.function_call_id)
        sent = request.last_index
        while await self._state.bell.longer(call.data_out, sent, STREAM_WAIT_S):
            for chunk in call.data_out[sent:]:
                yield chunk
                sent += 1

    def _call(self, call_id: str) -> Call:
        if call_id not in self._state.calls:
            raise not_found(f"Function call {call_id}")
        return self._state.calls[call_id]

    def _put(
        self, call: Call, items: list[api_pb2.FunctionPutInputsItem]
    ) -> list[api_pb2.FunctionPutInputsResponseItem]:
        put = [self._exchange.put(call, item.input, item.idx) for item in items]
        return [
            api_pb2.FunctionPutInputsResponseItem(idx=one.index, input_id=one.id, input_jwt=one.id)
            for one in put
        ]


def _module(call: Call) -> str:
    return call.function.definition.module_name
