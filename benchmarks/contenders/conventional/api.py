"""The API: `uvicorn benchmarks.contenders.conventional.api:app --loop uvloop --http httptools`."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.contenders.conventional.callers import ApiError, User, tell_errors
from benchmarks.contenders.conventional.events import CHANNEL, TERMINAL, event
from benchmarks.contenders.conventional.models import Asset, Base, BrandKit, IdempotencyKey, Job, engine
from benchmarks.contenders.conventional.schemas import (
    BrandKitIn,
    BrandKitOut,
    GenerateIn,
    JobList,
    JobOut,
    JobWithAssets,
    Status,
    job_out,
    with_assets,
)
from benchmarks.contenders.conventional.settings import settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    database = engine()
    async with database.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app.state.sessions = async_sessionmaker(database, expire_on_commit=False)
    app.state.queue = await create_pool(RedisSettings(port=settings().redis_port))
    yield
    await app.state.queue.aclose()
    await database.dispose()


app = FastAPI(lifespan=lifespan)
tell_errors(app)


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


async def _queue(request: Request) -> ArqRedis:
    return request.app.state.queue


Session = Annotated[AsyncSession, Depends(_session)]
Queue = Annotated[ArqRedis, Depends(_queue)]


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/v1/brand-kits", status_code=201, response_model_exclude_none=True)
async def create_brand_kit(body: BrandKitIn, user: User, session: Session) -> BrandKitOut:
    kit = BrandKit(
        user_id=user, name=body.name, primary_colors=" ".join(body.primary_colors), tone=body.tone,
        accent_colors=" ".join(body.accent_colors), headline_font=body.fonts.headline, body_font=body.fonts.body,
    )  # fmt: skip
    session.add(kit)
    await session.commit()
    return BrandKitOut(
        **body.model_dump(), id=kit.id, user_id=user, created_at=kit.created_at, updated_at=kit.updated_at
    )


@app.post("/api/v1/generate", status_code=201, response_model_exclude_none=True)
async def generate(
    body: GenerateIn,
    user: User,
    session: Session,
    queue: Queue,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> JobOut:
    kit = await session.get(BrandKit, str(body.brand_kit_id))
    if kit is None:
        raise ApiError(404, "BRAND_KIT_NOT_FOUND", "the brand kit was not found")
    if kit.user_id != user:
        raise ApiError(403, "NOT_OWNER", "the brand kit is somebody else's")
    job = Job(user_id=user, brand_kit_id=kit.id, asset_type=body.asset_type, custom_prompt=body.custom_prompt)
    session.add(job)
    await session.flush()
    if idempotency_key is not None:
        earlier = await _earlier(session, job, idempotency_key, body)
        if earlier is not None:
            return job_out(earlier)
    await session.commit()
    await queue.enqueue_job("generate", job.id, _job_id=job.id)
    return job_out(job)


async def _earlier(session: AsyncSession, job: Job, key: str, body: GenerateIn) -> Job | None:
    """The job that the key stands for already; None when it now stands for this one."""
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    values = {"user_id": job.user_id, "key": key, "request_sha256": digest, "job_id": job.id}
    if await session.scalar(
        insert(IdempotencyKey).values(**values).on_conflict_do_nothing().returning(IdempotencyKey.job_id)
    ):
        return None
    await session.rollback()
    claimed = await session.get(IdempotencyKey, (values["user_id"], key))
    if claimed is None or claimed.request_sha256 != digest:
        raise ApiError(409, "IDEMPOTENCY_KEY_REUSED", "the key was used for another request")
    return await session.get(Job, claimed.job_id)


@app.get("/api/v1/jobs", response_model_exclude_none=True)
async def list_jobs(
    user: User,
    session: Session,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> JobList:
    mine = [Job.user_id == user, *([Job.status == status] if status else [])]
    total = await session.scalar(select(func.count()).select_from(Job).where(*mine))
    page = select(Job).where(*mine).order_by(Job.created_at.desc(), Job.id.desc()).limit(limit).offset(offset)
    jobs = await session.scalars(page)
    return JobList(jobs=[job_out(job) for job in jobs], total=total or 0, limit=limit, offset=offset)


@app.get("/api/v1/jobs/{job_id}", response_model_exclude_none=True)
async def get_job(job_id: UUID, user: User, session: Session) -> JobWithAssets:
    return await _look(session, str(job_id), user)


@app.get("/api/v1/jobs/{job_id}/stream")
async def watch_job(job_id: UUID, user: User, request: Request, queue: Queue) -> StreamingResponse:
    sessions = request.app.state.sessions
    async with sessions() as session:
        await _look(session, str(job_id), user)
    return StreamingResponse(_events(sessions, queue, str(job_id), user), media_type="text/event-stream")


async def _events(sessions: async_sessionmaker, queue: ArqRedis, job_id: str, user: str) -> AsyncIterator[str]:
    async with queue.pubsub() as news:
        await news.subscribe(CHANNEL.format(job_id))
        number = 0
        while True:
            async with sessions() as session:
                job = await _look(session, job_id, user)
            yield event(number := number + 1, job)
            if job.status in TERMINAL:
                return
            # The subscription itself is the first message.
            while (await news.get_message(timeout=15) or {"type": "message"})["type"] != "message":
                pass


async def _look(session: AsyncSession, job_id: str, user: str) -> JobWithAssets:
    job = await session.get(Job, job_id)
    if job is None:
        raise ApiError(404, "JOB_NOT_FOUND", "the job was not found")
    if job.user_id != user:
        raise ApiError(403, "NOT_OWNER", "the job is somebody else's")
    assets = await session.scalars(select(Asset).where(Asset.job_id == job_id)) if job.status == "completed" else []
    return with_assets(job, list(assets))
