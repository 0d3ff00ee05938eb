"""What generation needs to know."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from chassis.renders import RendersKind
from chassis.settings import ServiceSettings
from chassis.targets import grpc_target
from services.generation.domain import AssetType


def _parse_sizes(text: object) -> object:
    if not isinstance(text, str):
        return text
    sizes = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        found = _SIZE.fullmatch(entry)
        if found is None or found["type"] not in set(AssetType):
            raise ValueError(f"must be like banner=21:9@4K,overlay=16:9@1K; asset types are {', '.join(AssetType)}")
        sizes[AssetType(found["type"])] = (found["ratio"], found["size"])
    return sizes


_SIZE = re.compile(r"(?P<type>[a-z_]+)=(?P<ratio>\d{1,2}:\d{1,2})(@(?P<size>[124]K))?")


def _fits_a_header(key: SecretStr) -> SecretStr:
    # A pasted line break would only show at the first paid call, and look like a call that may have been billed.
    if not re.fullmatch(r"[\x21-\x7e]+", key.get_secret_value()):
        raise ValueError("must be printable ASCII without spaces")
    return key


def _in_production(limit: int) -> Callable[[dict[str, Any]], int]:
    """A limit by default in production, and none on a laptop."""
    return lambda earlier: limit if earlier.get("environment") == "production" else 0


MOST = 1_000_000
Target = Annotated[str, AfterValidator(grpc_target)]
ApiKey = Annotated[SecretStr, AfterValidator(_fits_a_header)]
GeminiSizes = Annotated[dict[AssetType, tuple[str, str | None]], BeforeValidator(_parse_sizes)]


class Settings(ServiceSettings):
    """Read once at start."""

    port: int = Field(50052, alias="GENERATION_PORT", ge=0, le=65535)
    """0: a free one."""
    prompt_address: Target = Field("127.0.0.1:50051", alias="PROMPT_ADDRESS", validate_default=True)
    """Where the prompt service answers, as host:port; of several replicas all, with commas between."""
    storage_address: Target = Field("127.0.0.1:50053", alias="STORAGE_ADDRESS", validate_default=True)
    """Where the storage service answers."""
    provider: Literal["sketch", "nano_banana", "gemini"] = Field("sketch", alias="STUDIO_PROVIDER")
    """Who makes the pictures."""
    call_price: float = Field(0.0, alias="PROVIDER_PRICE_USD", ge=0)
    """What one call to the image API costs, in US dollars; for what `ListAttempts` says."""
    call_lease: int = Field(60, alias="CALL_LEASE", ge=2, le=3600)
    """Seconds for which a paid call keeps others away from its item without a sign of life."""
    nano_banana_base_url: str = Field("https://api.nanobanana.ai", alias="NANO_BANANA_BASE_URL")
    nano_banana_api_key: ApiKey | None = Field(None, alias="NANO_BANANA_API_KEY")
    nano_banana_timeout: int = Field(30, alias="NANO_BANANA_TIMEOUT", ge=1, le=300)
    """Seconds one call may take."""
    gemini_base_url: str = Field("https://generativelanguage.googleapis.com", alias="GEMINI_BASE_URL")
    """Without a path."""
    gemini_api_key: ApiKey | None = Field(None, alias="GEMINI_API_KEY")
    gemini_model: str = Field("gemini-nano-banana-2.1", alias="GEMINI_MODEL", pattern=r"^[A-Za-z0-9._-]{1,128}$")
    renders: RendersKind = Field("files", alias="STUDIO_RENDERS")
    """Where pictures wait to be stored: `files` on one machine, `object_store` on several."""
    service_token: SecretStr = Field(alias="SERVICE_TOKEN")
    """How this service calls others on its own behalf."""
    render_window: int = Field(64, alias="RENDER_WINDOW", ge=1, le=10_000)
    """How many items may be on their way at once, over all replicas."""
    render_concurrency: int = Field(4, alias="RENDER_CONCURRENCY", ge=1, le=256)
    """How many pictures this process makes at once."""
    max_active_jobs: int = Field(default_factory=_in_production(100), alias="MAX_ACTIVE_JOBS", ge=0, le=MOST)
    """How many jobs of one user may be under way at once; 0: any number, the default on a laptop."""
    submits_per_minute: int = Field(default_factory=_in_production(300), alias="SUBMITS_PER_MINUTE", ge=0, le=MOST)
    """How many jobs one user may submit in a minute; 0: any number, the default on a laptop."""
    start_by: int = Field(600, alias="START_BY", ge=1)
    """Seconds a job may wait for its first turn."""
    finish_by: int = Field(3600, alias="FINISH_BY", ge=1, le=80_000)
    """Seconds a job may take in all; shorter than renders are kept."""

    gemini_sizes: GeminiSizes = Field({}, alias="GEMINI_SIZES")
    """Another aspect ratio and size than the table's for an asset type: `banner=21:9@4K,overlay=16:9@1K`."""

    @model_validator(mode="after")
    def _has_the_providers_key(self) -> Self:
        if self.provider == "nano_banana" and self.nano_banana_api_key is None:
            raise ValueError("NANO_BANANA_API_KEY is not set, and STUDIO_PROVIDER=nano_banana needs it")
        if self.provider == "gemini" and self.gemini_api_key is None:
            raise ValueError("GEMINI_API_KEY is not set, and STUDIO_PROVIDER=gemini needs it")
        return self
