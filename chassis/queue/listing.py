"""Looking through a stream without taking anything from it."""

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.queue.delivery import MESSAGE_ID

ANY = ">"


async def message_ids(jetstream: JetStreamContext, stream: str) -> set[str]:
    """Ids of the messages in a stream, from the oldest to the newest.

    A message that is replaced while this goes on by one with another id is found as the one or as the other: the
    second is further on.
    """
    found: set[str] = set()
    sequence = 1
    while True:
        try:
            message = await jetstream.get_msg(stream, seq=sequence, subject=ANY, next=True)
        except NotFoundError:
            return found
        # Of a message that is not ours it may be anything, and then it is no str.
        found.add(str((message.headers or {}).get(MESSAGE_ID, "")))
        assert message.seq is not None
        sequence = message.seq + 1
