"""The tables, and how to reach them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.contenders.conventional.settings import settings

POOL = {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": False}


def engine() -> AsyncEngine:
    """One for a process; PostgreSQL commits synchronously, as it does by default."""
    return create_async_engine(settings().database_url.replace("postgresql:", "postgresql+asyncpg:"), **POOL)


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid4())


class Base(DeclarativeBase):
    """What all tables are."""

    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  (as SQLAlchemy has it)


class BrandKit(Base):
    """A streamer's colours, fonts and tone."""

    __tablename__ = "brand_kits"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(String(128), index=True)
    name: Mapped[str] = mapped_column(String(100))
    primary_colors: Mapped[str]
    accent_colors: Mapped[str]
    headline_font: Mapped[str] = mapped_column(String(64))
    body_font: Mapped[str] = mapped_column(String(64))
    tone: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Job(Base):
    """One request for one picture."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_user", "user_id", "created_at", "id"),
        Index("jobs_by_user_and_status", "user_id", "status", "created_at", "id"),
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(String(128))
    brand_kit_id: Mapped[str] = mapped_column(String(36))
    asset_type: Mapped[str] = mapped_column(String(20))
    custom_prompt: Mapped[str] = mapped_column(String(500), default="")
    status: Mapped[str] = mapped_column(String(20), default="queued")
    progress: Mapped[int] = mapped_column(default=0)
    error_message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    completed_at: Mapped[datetime | None]


class Asset(Base):
    """A stored picture."""

    __tablename__ = "assets"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    user_id: Mapped[str] = mapped_column(String(128))
    asset_type: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    file_size: Mapped[int]
    is_public: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class IdempotencyKey(Base):
    """What a client calls a request by."""

    __tablename__ = "idempotency_keys"
    user_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=now)
