"""What is asked of the prompt stage of a job, what it answers, and how it may fail."""

from __future__ import annotations

from dataclasses import dataclass

from services.prompt.domain import AssetType, BrandKitContext, PromptTemplate
from services.prompt.sanitize import Finding


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """What a prompt is made from, beside a brand kit."""

    asset_type: AssetType
    custom_prompt: str
    """As typed; may be empty."""
    template_version: str
    """Empty: the default."""


@dataclass(frozen=True, slots=True)
class PromptOrder:
    """One item of a job that needs its prompt."""

    user_id: str
    brand_kit_id: str
    request: PromptRequest


@dataclass(frozen=True, slots=True)
class WrittenPrompt:
    """A complete prompt, and what it was made from."""

    text: str
    words: str
    """The streamer's own, sanitised."""
    findings: tuple[Finding, ...]
    """What the sanitiser did to them, and to what the brand kit adds."""
    brand_kit: BrandKitContext
    template: PromptTemplate


@dataclass(frozen=True, slots=True)
class PromptFailure:
    """Why there will be no prompt."""

    reason: str
    """A name of `streamerstudio.error.v1.ErrorReason`."""
    message: str
    """A sentence for the streamer."""
    retryable: bool
    """Whether a new job with the same inputs may succeed."""


BRAND_KIT_GONE = PromptFailure(
    "BRAND_KIT_NOT_FOUND",
    "The brand kit could not be found. Choose another one and try again.",
    retryable=False,
)
TEMPLATE_GONE = PromptFailure(
    "TEMPLATE_NOT_FOUND",
    "There is no such version of the template for this kind of picture. Choose another one and try again.",
    retryable=False,
)
