"""How the storage service is put together; the only module here that knows its adapters."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from chassis.auth import TokenVerifier
from chassis.database import Database
from chassis.queue import Queue
from chassis.renders import open_renders
from chassis.server import GRACE, Role, Service
from chassis.service_database import open_service_database
from chassis.times import now
from services.storage import upload_servicer
from services.storage.blobs.local import LocalBlobs
from services.storage.blobs.supabase import SupabaseBlobs
from services.storage.blobs.supabase_http import SupabaseHttp
from services.storage.consumer import CONSUMES, StoreConsumer
from services.storage.converting import PillowConverter
from services.storage.links import Signer
from services.storage.pictures import PillowPictures
from services.storage.ports import Blobs
from services.storage.servicer import METHODS, SERVICE_NAME, StorageServicer
from services.storage.settings import Settings
from services.storage.store import DatabaseAssets
from services.storage.upload_servicer import UploadServicer
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.checking import Checking
from services.storage.usecases.files import Files
from services.storage.usecases.gallery import Gallery
from services.storage.usecases.keeping import Keeper, Uploads
from services.storage.usecases.moving import Moves
from services.storage.usecases.removing import Recovery, Removal
from services.storage.usecases.storing import Storing
from services.storage.usecases.uploading import Uploading
from streamerstudio.storage.v1.storage_service_pb2_grpc import add_StorageServiceServicer_to_server
from streamerstudio.storage.v1.upload_service_pb2_grpc import add_UploadServiceServicer_to_server

MIGRATIONS = Path(__file__).parent / "migrations"
CONCURRENCY = 4
"""Pictures stored at once: what bounds the memory they take while they are looked at."""


async def build(settings: Settings, role: Role, stack: AsyncExitStack) -> Service:
    """Opens what the service needs; the stack closes it in turn."""
    database = await open_service_database("storage", settings, MIGRATIONS, stack)
    queue = Queue(settings.nats_url, name="storage", replicas=settings.nats_replicas)
    stack.push_async_callback(queue.close)
    signer = Signer(settings.files_secret.get_secret_value().encode())
    store, uploads = DatabaseAssets(database), DatabaseUploads(database)
    blobs = _open_blobs(settings, signer, stack)
    moves, removal = Moves(store, blobs), Removal(store, blobs)
    keeper = Keeper(store, blobs, PillowPictures(), now)
    uploading = Uploading(uploads, blobs, PillowConverter(), now, settings.signed_url_ttl)
    servicer = StorageServicer(
        Uploads(keeper),
        Gallery(store, blobs, moves, removal, settings.signed_url_ttl),
        Files(store, uploads, blobs, signer, now),
        Checking(store, uploads, blobs, now),
    )
    if role.works:
        renders = open_renders(settings.renders, settings.data_dir, queue)
        _consume(queue, StoreConsumer(Storing(store, renders, keeper), queue, now))
    await queue.start()
    return Service(
        name="storage",
        port=settings.port,
        methods={**METHODS, **upload_servicer.METHODS} if role.serves else {},
        register=[
            partial(add_StorageServiceServicer_to_server, servicer),
            partial(add_UploadServiceServicer_to_server, UploadServicer(uploading)),
        ]
        if role.serves
        else [],
        verifier=TokenVerifier.from_settings(settings),
        serving=database.ping,
        ready=partial(_ready, database, blobs, queue),
        # Both halves: either may be the one that was killed, and what it left is finished before anybody asks.
        work=[Recovery(store, moves, removal, uploading, now).run],
        drain=[partial(queue.drain, GRACE)],
        service_names=[SERVICE_NAME, upload_servicer.SERVICE_NAME] if role.serves else [],
    )


def _open_blobs(settings: Settings, signer: Signer, stack: AsyncExitStack) -> Blobs:
    if settings.storage == "local":
        return LocalBlobs(settings.data_dir / "blobs", settings.public_url, signer, now)
    assert settings.supabase_url is not None and settings.supabase_service_key is not None
    http = SupabaseHttp(settings.supabase_url, settings.supabase_service_key.get_secret_value())
    stack.push_async_callback(http.close)
    return SupabaseBlobs(http, now)


def _consume(queue: Queue, consumer: StoreConsumer) -> None:
    queue.consume(CONSUMES, durable="store", handler=consumer.handle, on_dead=consumer.give_up, concurrency=CONCURRENCY)


async def _ready(database: Database, blobs: Blobs, queue: Queue) -> None:
    await database.ping()
    await blobs.ping()
    await queue.ping()
