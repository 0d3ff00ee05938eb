"""How the prompt service is put together; the only module here that knows its adapters."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from chassis.auth import TokenVerifier
from chassis.queue import Queue
from chassis.server import GRACE, Role, Service, StartRefused
from chassis.service_database import open_service_database
from chassis.times import now
from services.prompt import brand_kit_servicer, prompt_servicer
from services.prompt.brand_kit_servicer import BrandKitServicer
from services.prompt.consumer import CONSUMES, PromptConsumer
from services.prompt.domain import PromptTemplate
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.prompt_servicer import PromptServicer
from services.prompt.reloading import Reloading
from services.prompt.settings import Settings
from services.prompt.store import DatabaseBrandKits
from services.prompt.template_files import read_complete_directory
from services.prompt.template_yaml import TemplateInvalid
from services.prompt.upload_client import UploadClient, open_channel
from services.prompt.usecases import BrandKits, Prompts
from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import add_BrandKitServiceServicer_to_server
from streamerstudio.prompt.v1.prompt_service_pb2_grpc import add_PromptServiceServicer_to_server

MIGRATIONS = Path(__file__).parent / "migrations"
CONCURRENCY = 32
"""Prompts written at once; each spends nearly all its time waiting for the database and the queue."""


async def build(settings: Settings, role: Role, stack: AsyncExitStack) -> Service:
    """Opens what the service needs and closes it with the stack.

    Raises:
        StartRefused: a template is bad; nothing was opened.
    """
    directory = settings.templates_dir or TEMPLATES
    engine = PromptEngine(_read_templates(directory))
    database = await open_service_database("prompt", settings, MIGRATIONS, stack)
    queue = Queue(settings.nats_url, name="prompt", replicas=settings.nats_replicas)
    stack.push_async_callback(queue.close)
    storage = await stack.enter_async_context(open_channel(settings.storage_address))
    brand_kits = BrandKits(DatabaseBrandKits(database), UploadClient(storage), now)
    prompts = Prompts(brand_kits, engine)
    if role.works:
        consumer = PromptConsumer(prompts, queue, now)
        queue.consume(
            CONSUMES, durable="prompt", handler=consumer.handle, on_dead=consumer.give_up, concurrency=CONCURRENCY
        )

    async def ready() -> None:
        await database.ping()
        await queue.ping()

    return Service(
        name="prompt",
        port=settings.port,
        methods={**brand_kit_servicer.METHODS, **prompt_servicer.METHODS} if role.serves else {},
        register=(
            partial(add_BrandKitServiceServicer_to_server, BrandKitServicer(brand_kits)),
            partial(add_PromptServiceServicer_to_server, PromptServicer(prompts)),
        )
        if role.serves
        else (),
        verifier=TokenVerifier.from_settings(settings),
        serving=database.ping,
        ready=ready,
        work=(queue.start, *([Reloading(engine.exchange, directory).watch] if settings.templates_reload else [])),
        drain=(partial(queue.drain, GRACE),),
        service_names=(brand_kit_servicer.SERVICE_NAME, prompt_servicer.SERVICE_NAME) if role.serves else (),
    )


def _read_templates(directory: Path) -> list[PromptTemplate]:
    try:
        return read_complete_directory(directory)
    except TemplateInvalid as error:
        raise StartRefused(str(error)) from error
