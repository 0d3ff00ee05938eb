"""What the image API billed, item by item, held against what may have been billed twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from tests.chaos.plan import Fault, Kind
from tests.chaos.stage import CALL_TIMEOUT

BILLED_AT_MOST = 2
UNDER_WAY = 10.0
"""Seconds, at most, from the moment a call is billed until its picture is kept, on a busy machine."""
ON_ITS_WAY = 1.0
"""Seconds, at most, that a call needs to reach the image API: it may be billed when who made it is dead already."""
SLOW = 1.0
"""Seconds, at most, that an answer takes when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Call:
    """One that was billed."""

    item: str
    """`<job>:<item>`, as the call itself said."""
    at: float
    """When, on the clock of all times here."""
    is_answered: bool = True
    """Whether the image API told of it."""


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault as it happened."""

    fault: Fault
    began: float
    ended: float

    @property
    def may_cost(self) -> bool:
        """Only what hurts a worker may cost a call: its death, or a sleep after which the answer comes too late."""
        if not self.fault.target.startswith("generation"):
            return False
        is_long = self.fault.kind is Kind.PAUSE and self.fault.seconds >= CALL_TIMEOUT - SLOW
        return is_long or self.fault.kind is Kind.KILL

    def hit(self, call: Call) -> bool:
        """Whether it may have cost this call's picture."""
        return self.may_cost and self.began <= call.at + UNDER_WAY and self.ended >= call.at - ON_ITS_WAY


@dataclass(frozen=True)
class Bill:
    """What the image API billed, and what happened to those whom it served."""

    calls: Sequence[Call]
    items: Set[str]
    """All there are."""
    blows: Sequence[Blow]
    slots: int
    """Paid calls that one worker may have under way."""

    @cached_property
    def by_item(self) -> Mapping[str, Sequence[Call]]:
        """Each item's, in order."""
        calls = defaultdict[str, list[Call]](list)
        for call in sorted(self.calls, key=lambda call: call.at):
            calls[call.item].append(call)
        return calls

    @property
    def again(self) -> int:
        """Calls that were billed for what had been billed."""
        return sum(len(calls) - 1 for calls in self.by_item.values())

    @property
    def at_risk(self) -> int:
        """Calls that were under way when their worker was killed or slept too long, at most."""
        return self.slots * sum(blow.may_cost for blow in self.blows)

    @property
    def unanswered(self) -> int:
        """Calls that were billed and not answered: nobody but the image API knows of it."""
        return sum(not call.is_answered for call in self.calls)


def of_money(bill: Bill) -> Iterator[str]:
    """No call for nobody, none a third time, and a second time only what a fault has cost."""
    yield from (f"{item} was billed and is nobody's" for item in bill.by_item.keys() - bill.items)
    for item, calls in bill.by_item.items():
        if len(calls) > BILLED_AT_MOST:
            yield f"item {item} was billed {len(calls)} times"
        elif len(calls) > 1 and not _is_excused(calls[0], calls[1], bill.blows):
            first, second = (f"{call.at:.1f} s" for call in calls)
            yield f"item {item} was billed again at {second}, and nothing happened to its call at {first}"
    if bill.again > bill.at_risk + bill.unanswered:
        yield f"{bill.again} calls were billed again, and at most {bill.at_risk + bill.unanswered} may be"


def _is_excused(first: Call, second: Call, blows: Sequence[Blow]) -> bool:
    return not first.is_answered or any(blow.hit(first) and blow.began <= second.at for blow in blows)
