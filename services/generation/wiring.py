"""Puts the generation service together; the only module that knows its adapters."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

from chassis.auth import TokenVerifier
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.patience import describe
from chassis.queue import Queue
from chassis.renders import open_renders
from chassis.server import GRACE, Role, Service
from chassis.service_database import open_service_database
from chassis.times import now
from services.generation.announcing import NatsAnnouncer, listen
from services.generation.attempts_store import AttemptStore, item_calls
from services.generation.choosing import open_provider
from services.generation.consumer import OUTCOME, RENDER, Consumer, Sender
from services.generation.discarding import discard_for_ever
from services.generation.discards_store import DiscardStore
from services.generation.dispatcher import Dispatcher
from services.generation.grpc_clients import AssetClient, AssetRemover, BrandKitClient, StyleImageClient, open_channel
from services.generation.idempotency_store import forget_old_keys
from services.generation.imaging import Imaging
from services.generation.items_store import ItemStore
from services.generation.letter_box import LetterBox
from services.generation.limits import Limits
from services.generation.rendering import Copies, Rendering
from services.generation.requeueing import DeadLetterService
from services.generation.servicer import METHODS, SERVICE_NAME, GenerationServicer
from services.generation.settings import Settings
from services.generation.store import JobStore
from services.generation.sweeping import Sweeping
from services.generation.usecases import Deadlines, GenerationService
from services.generation.watching import JobWatchers
from streamerstudio.generation.v1.generation_service_pb2_grpc import add_GenerationServiceServicer_to_server

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
LONGEST_RENDER = 400.0
"""Seconds: four calls of 30 s, their waits, and the fetching of the picture, all of it at its slowest."""
OUTCOMES_AT_ONCE = 32
TIDY_EVERY = 3600.0


async def build(settings: Settings, role: Role, stack: AsyncExitStack) -> Service:
    """Opens what the service needs; the stack closes it in turn."""
    database = await open_service_database("generation", settings, MIGRATIONS, stack)
    queue = Queue(settings.nats_url, name="generation", replicas=settings.nats_replicas)
    renders = open_renders(settings.renders, settings.data_dir, queue)
    watchers = JobWatchers(NatsAnnouncer(queue))
    items = ItemStore(database)
    sender = Sender(queue)
    dispatcher = Dispatcher(
        outbox=items,
        items=items,
        send=sender.send,
        under_way=sender.under_way,
        announcer=watchers,
        window=settings.render_window,
        clock=now,
    )
    provider = await open_provider(settings, stack)
    prompt = await stack.enter_async_context(open_channel(settings.prompt_address))
    storage = await stack.enter_async_context(open_channel(settings.storage_address))
    service_token = settings.service_token.get_secret_value()
    rendering = Rendering(
        items=items,
        provider=provider,
        styles=StyleImageClient(storage, service_token),
        calls_of=lambda job_id, item: item_calls(
            database, job_id, item, provider.model, lease=timedelta(seconds=settings.call_lease), clock=now
        ),
        # More threads than processors would be no faster, and hold more pictures decoded at once.
        pixels=Imaging(workers=min(settings.render_concurrency, os.cpu_count() or 1)),
        renders=renders,
        announcer=watchers,
        ended=dispatcher.wake,
        clock=now,
    )
    if role.works:
        _consume(queue, Consumer(queue, rendering, now), settings)
    await listen(queue, watchers)
    await queue.start()
    stack.push_async_callback(queue.close)
    jobs = JobStore(database)
    use_cases = GenerationService(
        jobs=jobs,
        calls=AttemptStore(database),
        renders=Copies(renders),
        brand_kits=BrandKitClient(prompt),
        assets=AssetClient(storage),
        announcer=watchers,
        submitted=dispatcher.wake,
        deadlines=Deadlines(timedelta(seconds=settings.start_by), timedelta(seconds=settings.finish_by)),
        limits=Limits(settings.max_active_jobs, settings.submits_per_minute),
        clock=now,
    )
    letters = DeadLetterService(
        letters=LetterBox(queue.dead_letters), jobs=jobs, items=items, service=use_cases, clock=now
    )
    servicer = GenerationServicer(use_cases, letters, watchers, settings.call_price)
    remover = AssetRemover(storage, service_token)
    discarding = partial(discard_for_ever, DiscardStore(database), remover)
    return Service(
        name="generation",
        port=settings.port,
        methods=METHODS if role.serves else {},
        register=[partial(add_GenerationServiceServicer_to_server, servicer)] if role.serves else [],
        verifier=TokenVerifier.from_settings(settings),
        serving=database.ping,
        ready=partial(_ready, database, queue),
        # Both halves dispatch: the server is the first to know of a new job, the worker of a free place.
        work=[
            dispatcher.run,
            dispatcher.reap_for_ever,
            Sweeping(renders, items).sweep_for_ever,
            partial(_tidy, database, queue),
            discarding,
        ],
        drain=[dispatcher.close, partial(queue.drain, GRACE)],
        farewell=[watchers.close],
        service_names=[SERVICE_NAME] if role.serves else [],
    )


def _consume(queue: Queue, consumer: Consumer, settings: Settings) -> None:
    queue.consume(
        RENDER,
        durable="render",
        handler=consumer.render,
        on_dead=consumer.render_is_dead,
        concurrency=settings.render_concurrency,
        max_work=LONGEST_RENDER,
    )
    queue.consume(
        OUTCOME,
        durable="outcome",
        handler=consumer.outcome,
        on_dead=consumer.outcome_is_dead,
        concurrency=OUTCOMES_AT_ONCE,
    )


async def _ready(database: Database, queue: Queue) -> None:
    await database.ping()
    await queue.ping()


async def _tidy(database: Database, queue: Queue) -> None:
    """Forgets keys that are too old to count, and work that is done and still lies in the queue."""
    while True:
        await asyncio.sleep(TIDY_EVERY)
        try:
            await forget_old_keys(database, now())
            await queue.sweep()
        except Unavailable as error:
            log.warning("not tidying for now", extra={"why": describe(error)})
