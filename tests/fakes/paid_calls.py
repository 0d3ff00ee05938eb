"""The paid calls of one item, in memory; as strict as the ones in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.generation.domain import CallUnderWay, RenderDeferred, RenderFailed
from services.generation.failures import failure

BILLED_AT_MOST = 2


@dataclass(slots=True)
class Call:
    """One attempt."""

    state: str = "sending"
    """Then `paid`, `unpaid` or, when nobody says, `unknown`."""

    def unpaid(self) -> None:
        self.state = "unpaid"

    def paid(self) -> None:
        self.state = "paid"


@dataclass(slots=True)
class InMemoryPaidCalls:
    """The PaidCalls port; an item has as many of these as it has deliveries, or one that goes on."""

    calls: list[Call] = field(default_factory=list)
    gate: float = 0.0
    """Seconds for which the gate was closed; a test opens it by setting it back."""

    @property
    def states(self) -> list[str]:
        return [call.state for call in self.calls]

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Call]:
        if self.gate:
            raise RenderDeferred(self.gate, "the gate is closed")
        if "sending" in self.states:
            raise CallUnderWay(60, "another worker's call is under way")
        if sum(state in ("paid", "unknown") for state in self.states) >= BILLED_AT_MOST:
            raise RenderFailed(failure("OUTCOME_UNKNOWN"))
        call = Call()
        self.calls.append(call)
        try:
            yield call
        finally:
            if call.state == "sending":
                call.state = "unknown"

    async def close_gate(self, seconds: float) -> None:
        self.gate = max(self.gate, seconds)
