"""What a stream keeps although nobody will ever be given it."""

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError


async def sweep(jetstream: JetStreamContext, stream: str) -> int:
    """Removes messages that are acknowledged and still there; answers how many.

    On a full disk nats-server takes acknowledgements and cannot remove what they are for; nor does it later on.
    """
    swept = 0
    for consumer in await jetstream.consumers_info(stream):
        subject, floor = consumer.config.filter_subject, consumer.ack_floor
        while subject and floor and await _remove_first(jetstream, stream, subject, floor.stream_seq):
            swept += 1
    return swept


async def _remove_first(jetstream: JetStreamContext, stream: str, subject: str, up_to: int) -> bool:
    """Whether there was one."""
    try:
        oldest = await jetstream.get_msg(stream, seq=1, subject=subject, next=True)
    except NotFoundError:
        return False
    if oldest.seq is None or oldest.seq > up_to:
        return False
    await jetstream.delete_msg(stream, oldest.seq)
    return True
