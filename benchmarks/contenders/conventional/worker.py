"""The worker: `python -m benchmarks.contenders.conventional.worker`."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import uvloop
from arq import Retry, Worker
from arq.connections import RedisSettings
from sqlalchemy.ext.asyncio import async_sessionmaker

from benchmarks.contenders.conventional.events import CHANNEL
from benchmarks.contenders.conventional.models import Asset, BrandKit, Job, engine, now
from benchmarks.contenders.conventional.pictures import SIZES, conformed, keep
from benchmarks.contenders.conventional.settings import settings

LADDER = (1.0, 2.0, 4.0)
AGAIN = (429, 500, 502, 503)
TRIES = 1000
PROMPT = "A {asset_type} for a streamer in {colors}, {fonts}, {tone} in tone. {words}"


async def generate(context: dict[str, Any], job_id: str) -> None:
    """Has the picture of a job made and keeps it."""
    async with context["sessions"]() as session:
        job = await session.get(Job, job_id)
        kit = await session.get(BrandKit, job.brand_kit_id)
        job.status, job.progress = "processing", 20
        await session.commit()
        await context["redis"].publish(CHANNEL.format(job_id), "processing")
        data = await _picture(context["http"], _prompt(job, kit), job)
        data = await asyncio.to_thread(conformed, data, job.asset_type)
        key = f"private/{uuid4().hex}"
        await asyncio.to_thread(keep, key, data)
        width, height = SIZES[job.asset_type]
        session.add(
            Asset(
                job_id=job_id,
                user_id=job.user_id,
                asset_type=job.asset_type,
                key=key,
                width=width,
                height=height,
                file_size=len(data),
            )
        )
        job.status, job.progress, job.completed_at = "completed", 100, now()
        await session.commit()
    await context["redis"].publish(CHANNEL.format(job_id), "completed")


def _prompt(job: Job, kit: BrandKit) -> str:
    fonts = f"{kit.headline_font} and {kit.body_font}"
    return PROMPT.format(
        asset_type=job.asset_type, colors=kit.primary_colors, fonts=fonts, tone=kit.tone, words=job.custom_prompt
    )


async def _picture(http: httpx.AsyncClient, prompt: str, job: Job) -> bytes:
    width, height = SIZES[job.asset_type]
    body = {"prompt": prompt, "width": width, "height": height, "model": "default", "seed": 1}
    for pause in (*LADDER, None):
        response = await http.post("/generate", json=body, headers={"Idempotency-Key": job.id})
        if response.status_code not in AGAIN:
            break
        hint = float(response.headers.get("retry-after", 0))
        if pause is None or hint > pause:
            raise Retry(defer=max(hint, LADDER[-1]))
        await asyncio.sleep(max(pause, hint))
    response.raise_for_status()
    picture = await http.get(response.json()["image_url"])
    picture.raise_for_status()
    return picture.content


async def _start(context: dict[str, Any]) -> None:
    context["engine"] = engine()
    context["sessions"] = async_sessionmaker(context["engine"], expire_on_commit=False)
    context["http"] = httpx.AsyncClient(
        base_url=settings().image_api_url,
        headers={"Authorization": f"Bearer {settings().image_api_key}"},
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        timeout=30,
        trust_env=False,
    )


async def _stop(context: dict[str, Any]) -> None:
    await context["http"].aclose()
    await context["engine"].dispose()


async def main() -> None:
    worker = Worker(
        [generate],
        redis_settings=RedisSettings(port=settings().redis_port),
        on_startup=_start,
        on_shutdown=_stop,
        poll_delay=settings().poll_delay,
        max_jobs=settings().max_jobs,
        max_tries=TRIES,
        keep_result=0,
        handle_signals=False,
    )
    await worker.async_run()


if __name__ == "__main__":
    uvloop.run(main())
