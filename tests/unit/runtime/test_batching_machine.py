"""BatchPolicy against a list kept by hand, over whatever order of events hypothesis thinks of."""

from dataclasses import dataclass
from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.clock import HandClock

from preheat.runtime.batching import BatchPolicy

MAX_WAIT_S = 0.005


@dataclass(eq=False)
class Ask:
    """One request; `allowance` is in how many batches from its arrival it must be."""

    number: int
    size: float
    deadline: float
    came: float
    allowance: int
    takes: int = 0


class Batches(RuleBasedStateMachine):
    """`queued` is what the policy should hold; `running` is the batch in the model."""

    asks = Bundle("asks")

    @initialize(max_size=st.integers(1, 5), grouped=st.booleans())
    def begin(self, max_size: int, grouped: bool) -> None:
        self.clock = HandClock()
        self.max_size, self.grouped = max_size, grouped
        self.policy: BatchPolicy[Ask] = BatchPolicy(
            max_size=max_size, max_wait_ms=MAX_WAIT_S * 1000, clock=self.clock, grouped=grouped
        )
        self.queued: list[Ask] = []
        self.running: list[Ask] | None = None
        self.count = 0
        self.free_since = self.clock.now

    @rule(
        target=asks,
        size=st.sampled_from([0.0, 5.0, 6.0, 50.0, 60.0, 1e12]),
        patience_s=st.sampled_from([0.0, 0.001, 0.05, 1.0, inf]),
    )
    def arrive(self, size: float, patience_s: float) -> Ask:
        now = self.clock.now
        ask = Ask(self.count, size, now + patience_s, now, len(self.queued) + 1)
        self.count += 1
        self.policy.add(ask, size=size, deadline=ask.deadline)
        self.queued.append(ask)
        return ask

    @rule(ask=asks)
    def leave(self, ask: Ask) -> None:
        assert self.policy.remove(ask) == (ask in self.queued)
        if ask in self.queued:
            self.queued.remove(ask)

    @rule(seconds=st.sampled_from([0.0005, 0.004, 0.03]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.running is None)
    @rule()
    def look(self) -> None:
        wait_s = self.policy.wait_s()
        now = self.clock.now
        self.queued = [ask for ask in self.queued if ask.deadline > now]
        if wait_s is None:
            assert self.queued == []
            return
        assert wait_s >= 0
        oldest = self.queued[0]
        assert wait_s == 0 or now + wait_s < min(ask.deadline for ask in self.queued)
        assert wait_s == 0 or now + wait_s <= max(oldest.came, self.free_since) + MAX_WAIT_S + 1e-9
        if wait_s == 0:
            self.take()

    def take(self) -> None:
        batch = self.policy.take()
        assert 0 < len(batch) <= self.max_size
        numbers = [ask.number for ask in batch]
        assert numbers == sorted(set(numbers))
        assert set(batch) <= set(self.queued)
        assert batch[0] is self.queued[0]
        if not self.grouped:
            assert batch == self.queued[: self.max_size]
        left = [ask for ask in self.queued if ask not in batch]
        for ask in left:
            ask.takes += 1
            assert ask.takes < ask.allowance, "starved"
            assert not any(later.size == ask.size and later.number > ask.number for later in batch)
        self.queued, self.running = left, batch

    @precondition(lambda self: self.running is not None)
    @rule(seconds=st.sampled_from([0.0, 0.001, 0.05]))
    def finish(self, seconds: float) -> None:
        assert self.running is not None
        self.clock.advance(seconds)
        self.policy.done(len(self.running), seconds)
        self.running = None
        self.free_since = self.clock.now

    @precondition(lambda self: self.running is not None)
    @rule()
    def crash(self) -> None:
        """The batch is lost and nobody says so; what is queued must run all the same."""
        self.running = None

    @invariant()
    def holds_what_was_neither_taken_nor_removed(self) -> None:
        if hasattr(self, "policy"):
            assert len(self.policy) == len(self.queued)

    def teardown(self) -> None:
        """On stop everything left is taken, in as few batches as there are requests at most."""
        if not hasattr(self, "policy"):
            return
        self.clock.advance(MAX_WAIT_S)
        for _ in range(len(self.queued)):
            if self.policy.wait_s() is None:
                break
            self.queued = [ask for ask in self.queued if ask.deadline > self.clock.now]
            self.take()
        assert self.policy.wait_s() is None


TestBatches = Batches.TestCase
