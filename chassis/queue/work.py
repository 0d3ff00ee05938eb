"""One delivery, from the handler to its acknowledgement.

The acknowledgement comes last. While the handler works, the server is told so, up to a bound: a handler that hangs
gives the message back instead of holding it for ever.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass

from nats.aio.msg import Msg

from chassis.ending import end
from chassis.errors import Unavailable
from chassis.patience import Trouble, describe, patiently
from chassis.queue.backoff import backoff
from chassis.queue.connection import Connection
from chassis.queue.dead_letters import bury
from chassis.queue.delivery import REQUEST_ID, Again, Delivery, Handler, OnDead, Poison, TooOften
from chassis.queue.receipt import Receipt

logger = logging.getLogger(__name__)

RETRY_FIRST, RETRY_MOST = 1.0, 30.0
CLEAN_UP = 5.0
"""Seconds a cancelled handler has to put things in order."""
PATIENCE = 120.0
"""Seconds a message waits in its handler's hands for what is down, before it is given back.

So long, because giving back counts as a delivery: an outage of hours must not look like a message that nobody can
process. And in our hands it goes on within a second of the return of what it needs.
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a service promises for the messages of one subject."""

    subject: str
    durable: str
    """The name under which the server remembers the consumer; all replicas share it."""
    handler: Handler
    on_dead: OnDead
    concurrency: int
    ack_wait: float
    """Seconds without a sign of life after which the server gives a message to somebody else."""
    max_work: float
    """Seconds one delivery may take in all."""
    max_deliveries: int
    """A message that was delivered so often without success is buried."""
    patience: float
    """Seconds a delivery may wait for what is down."""


async def work(connection: Connection, terms: Terms, message: Msg) -> None:
    """Has the message handled, and answers for it."""
    delivery = Delivery.of(message)
    receipt = Receipt(connection, message.reply)
    try:
        delay = await _outcome(connection, terms, delivery, receipt)
    except asyncio.CancelledError:
        await _answer(terms, delivery, receipt, delay=0)
        raise
    await _answer(terms, delivery, receipt, delay)


async def _outcome(connection: Connection, terms: Terms, delivery: Delivery, receipt: Receipt) -> float | None:
    """Seconds after which the message should come again, or None when it is done with."""
    delay = backoff(delivery.deliveries, first=RETRY_FIRST, most=RETRY_MOST)
    try:
        await _hold(terms, receipt, _attempt(connection, terms, delivery))
    except Again as again:
        logger.info("%s: %s", terms.durable, again, extra=_context(delivery))
        return again.delay
    except Unavailable as error:
        logger.warning("%s: again in %.1f s: %s", terms.durable, delay, error, extra=_context(delivery))
        return delay
    except Exception:
        logger.exception("%s: failed, again in %.1f s", terms.durable, delay, extra=_context(delivery))
        return delay
    return None


async def _attempt(connection: Connection, terms: Terms, delivery: Delivery) -> None:
    try:
        if delivery.deliveries > terms.max_deliveries:
            raise TooOften(terms.max_deliveries)
        waiting = Trouble(logger, f"{terms.durable}: waiting", _context(delivery))
        await patiently(lambda: terms.handler(delivery), waiting, within=terms.patience)
    except Poison as poison:
        logger.warning("%s: gave up: %s", terms.durable, poison.reason, extra=_context(delivery))
        await bury(connection, delivery, consumer=terms.durable, reason=poison.reason)
        await terms.on_dead(delivery, poison)


async def _hold(terms: Terms, receipt: Receipt, attempt: Coroutine[None, None, None]) -> None:
    """Keeps the message ours while the attempt lasts, and ends an attempt that lasts too long."""
    task = asyncio.create_task(attempt)
    try:
        async with asyncio.timeout(terms.max_work):
            while not (await asyncio.wait({task}, timeout=terms.ack_wait / 3))[0]:
                await _beat(terms, receipt)
    except TimeoutError:
        raise TimeoutError(f"ended after {terms.max_work:g} s") from None
    finally:
        await end(task, patience=CLEAN_UP)
    if task.cancelled():
        # Something inside the handler was cancelled and we were not: a failure, and no reason to try again at once.
        raise RuntimeError("the handler was cancelled from within")
    task.result()


async def _beat(terms: Terms, receipt: Receipt) -> None:
    try:
        await receipt.working()
    except Unavailable as error:
        logger.debug("%s: no sign of life sent: %s", terms.durable, describe(error))


async def _answer(terms: Terms, delivery: Delivery, receipt: Receipt, delay: float | None) -> None:
    try:
        await (receipt.done() if delay is None else receipt.again(delay))
    except Unavailable as error:
        told = describe(error)
        logger.warning("%s: not answered, will be delivered again: %s", terms.durable, told, extra=_context(delivery))


def _context(delivery: Delivery) -> dict[str, str]:
    return {REQUEST_ID.replace("-", "_"): delivery.request_id, "message_id": delivery.message_id}
