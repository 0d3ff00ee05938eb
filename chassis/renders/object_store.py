"""Renders in a JetStream object store, for services on several machines.

The layout is the one every NATS client knows (NATS ADR-20): chunks under `$O.<bucket>.C.<nuid>`, and under
`$O.<bucket>.M.<name>` which nuid is current.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from nats.js import JetStreamContext
from nats.js.api import ObjectInfo, ObjectMeta, ObjectMetaOptions, RawStreamMsg, StorageType
from nats.js.errors import BadRequestError, NotFoundError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

from chassis.queue import Queue
from chassis.queue.streams import NAME_IN_USE
from chassis.renders.port import RenderMissing, checked

CHUNK = 512 * 1024
"""Each chunk costs the sender one wait for the disk; a message may have 1 MB."""
TIMEOUT = 30.0


class ObjectStoreRenders:
    """A bucket that forgets by itself after `ttl`, with as many copies as the queue keeps of its messages."""

    def __init__(self, queue: Queue, *, bucket: str = "renders", ttl: timedelta = timedelta(hours=24)) -> None:
        self._queue = queue
        self._bucket = bucket
        self._stream = f"OBJ_{bucket}"
        self._ttl = ttl.total_seconds()
        self._open_store: tuple[JetStreamContext, ObjectStore] | None = None

    async def require_room(self) -> None:
        # How full the disks of its servers are, NATS tells nobody outside.
        await self._queue.ping()

    async def put(self, key: str, data: bytes) -> None:
        meta = ObjectMeta(name=checked(key), options=ObjectMetaOptions(max_chunk_size=CHUNK))
        async with self._store() as (_, store):
            await store.put(key, data, meta)

    async def get(self, key: str) -> bytes:
        checked(key)
        async with self._store() as (jetstream, store):
            gone = None
            while (info := await _find(store, key)) is not None and info.nuid != gone:
                data = await self._read(jetstream, info)
                if data is not None:
                    return data
                # Replaced since we looked: look again. When it is still the same one, its time is over.
                gone = info.nuid
        raise RenderMissing(key)

    async def delete(self, key: str) -> None:
        checked(key)
        async with self._store() as (_, store):
            await _delete(store, key)

    async def keys(self, older_than: timedelta) -> Sequence[str]:
        before = datetime.now(UTC) - older_than
        async with self._store() as (jetstream, store):
            return [key for key in await self._keys(jetstream) if await _is_older(store, key, before)]

    async def sweep(self, older_than: timedelta) -> int:
        before, swept = datetime.now(UTC) - older_than, 0
        async with self._store() as (jetstream, store):
            for key in await self._keys(jetstream):
                if await _is_older(store, key, before):
                    await _delete(store, key)
                    swept += 1
        return swept

    async def _read(self, jetstream: JetStreamContext, info: ObjectInfo) -> bytes | None:
        """The object's bytes, or None when its chunks are gone.

        nats-py's `get` is not used: when the connection closes it returns what it has so far as if that were all, and
        when it is given up, the consumer it made stays, and is made again every ten seconds.
        """
        subject, data, after = f"$O.{self._bucket}.C.{info.nuid}", bytearray(), 1
        while len(data) < (info.size or 0):
            chunk = await self._chunk(jetstream, subject, after)
            if chunk is None:
                return None
            data += chunk.data or b""
            after = (chunk.seq or 0) + 1
        return bytes(data)

    async def _chunk(self, jetstream: JetStreamContext, subject: str, after: int) -> RawStreamMsg | None:
        # Any replica answers a direct request, in plain bytes; one that lags behind may not have the chunk yet.
        for direct in (True, False):
            with suppress(NotFoundError):
                return await jetstream.get_msg(self._stream, seq=after, subject=subject, next=True, direct=direct)
        return None

    async def _keys(self, jetstream: JetStreamContext) -> list[str]:
        prefix = f"$O.{self._bucket}.M."
        state = (await jetstream.stream_info(self._stream, subjects_filter=f"{prefix}>")).state
        return [base64.urlsafe_b64decode(subject.removeprefix(prefix)).decode() for subject in state.subjects or {}]

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[tuple[JetStreamContext, ObjectStore]]:
        """The bucket, made sure of once on each connection."""
        async with self._queue.jetstream() as jetstream, asyncio.timeout(TIMEOUT):
            if self._open_store is None or self._open_store[0] is not jetstream:
                self._open_store = (jetstream, await self._declare(jetstream))
            yield self._open_store

    async def _declare(self, jetstream: JetStreamContext) -> ObjectStore:
        replicas = self._queue.replicas
        try:
            return await jetstream.create_object_store(
                self._bucket, ttl=self._ttl, storage=StorageType.FILE, replicas=replicas
            )
        except BadRequestError as error:
            if error.err_code != NAME_IN_USE:
                raise
        config = (await jetstream.stream_info(self._stream)).config
        await jetstream.update_stream(config, max_age=self._ttl, num_replicas=replicas)
        return await jetstream.object_store(self._bucket)


async def _is_older(store: ObjectStore, key: str, before: datetime) -> bool:
    info = await _find(store, key)
    return info is not None and info.mtime is not None and datetime.fromisoformat(info.mtime) < before


async def _find(store: ObjectStore, key: str) -> ObjectInfo | None:
    try:
        return await store.get_info(key)
    except ObjectNotFoundError:
        return None


async def _delete(store: ObjectStore, key: str) -> None:
    try:
        await store.delete(key)
    except ObjectNotFoundError:
        # What is not there need not be deleted.
        return
