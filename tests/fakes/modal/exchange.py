"""Inputs on their way to containers, and outputs on their way back."""

import asyncio
from collections.abc import Callable

from modal_proto import api_pb2
from tests.fakes.modal.state import Call, Function, Input, State

RETRIED = (api_pb2.GenericResult.GENERIC_STATUS_FAILURE, api_pb2.GenericResult.GENERIC_STATUS_TIMEOUT)


class Exchange:
    """The queue of each function. `wake` is told of every new input, `kill` of a container that hangs."""

    def __init__(self, state: State, wake: Callable[[Function], None], kill: Callable[[str], None]) -> None:
        self._state = state
        self._wake = wake
        self._kill = kill

    def call(
        self,
        function: Function,
        invocation: "api_pb2.FunctionCallInvocationType.ValueType" = (
            api_pb2.FUNCTION_CALL_INVOCATION_TYPE_SYNC_LEGACY
        ),
    ) -> Call:
        """Open a call without inputs."""
        call = Call(self._state.new_id("fc"), function, invocation)
        self._state.calls[call.id] = call
        return call

    def put(self, call: Call, body: api_pb2.FunctionInput, index: int = 0) -> Input:
        """Queue an input of `call`."""
        one = Input(self._state.new_id("in"), call, index, body)
        call.inputs[one.id] = one
        self._queue(one)
        return one

    def again(self, one: Input) -> None:
        """Queue an input once more, under a new number of its retries."""
        one.retry += 1
        one.output = None
        one.container = ""
        self._queue(one)

    def take(self, function: Function, container: str, most: int) -> list[Input]:
        """Return up to `most` waiting inputs of one method; they belong to `container` now."""
        taken: list[Input] = []
        while function.queue and len(taken) < most:
            first = function.queue[0]
            if taken and first.body.method_name != taken[0].body.method_name:
                break
            function.queue.popleft()
            first.container = container
            taken.append(first)
            self._watch(first)
        return taken

    def settle(self, one: Input, output: api_pb2.FunctionGetOutputsItem) -> None:
        """Answer an input, or queue it again if the function retries what is not waited for."""
        if one.output is not None or output.retry_count != one.retry:
            return
        policy = one.call.function.definition.retry_policy
        detached = one.call.invocation == api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC
        if detached and output.result.status in RETRIED and one.retry < policy.retries:
            delay_ms = policy.initial_delay_ms * policy.backoff_coefficient**one.retry
            asyncio.get_running_loop().call_later(min(delay_ms, policy.max_delay_ms) / 1000, self.again, one)
            return
        one.output = output
        one.call.outputs.append(output)
        self._state.bell.ring()

    def fail(self, one: Input, result: api_pb2.GenericResult, task: str = "") -> None:
        """Answer an input that no container answers."""
        if one in one.call.function.queue:
            one.call.function.queue.remove(one)
        output = api_pb2.FunctionGetOutputsItem(
            result=result,
            idx=one.index,
            input_id=one.id,
            task_id=task,
            retry_count=one.retry,
            data_format=api_pb2.DATA_FORMAT_PICKLE,
        )
        self.settle(one, output)

    def _queue(self, one: Input) -> None:
        one.call.function.queue.append(one)
        self._wake(one.call.function)
        self._state.bell.ring()

    def _watch(self, one: Input) -> None:
        seconds, retry = one.call.function.definition.timeout_secs, one.retry

        def late() -> None:
            if one.output is None and one.retry == retry:
                timeout = api_pb2.GenericResult.GENERIC_STATUS_TIMEOUT
                container = one.container
                self.fail(one, api_pb2.GenericResult(status=timeout, exception="Task's timeout"), container)
                self._kill(container)

        if seconds:
            asyncio.get_running_loop().call_later(seconds, late)
