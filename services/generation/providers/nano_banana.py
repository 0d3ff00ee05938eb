"""The Nano Banana API as a provider of pictures."""

from __future__ import annotations

import logging

from chassis.errors import Unavailable
from services.generation.domain import Picture, RenderDeferred, RenderFailed, RenderRequest
from services.generation.failures import failure
from services.generation.picture_ports import PaidCalls
from services.generation.providers.nano_banana_client import GenerationRequest, NanoBananaClient
from services.generation.providers.nano_banana_errors import GenerationError, ProviderAuthError, RateLimitError

MODEL = "default"
MEND_KEY = "the Nano Banana API does not accept NANO_BANANA_API_KEY"

log = logging.getLogger(__name__)


class NanoBananaProvider:
    """Has pictures made by the Nano Banana API, which takes words alone."""

    sees_styles = False

    def __init__(self, client: NanoBananaClient, model: str = MODEL) -> None:
        """`model` is what the API calls it."""
        self._client = client
        self._name = model

    @property
    def model(self) -> str:
        return f"nano_banana:{self._name}"

    async def render(self, request: RenderRequest, calls: PaidCalls) -> Picture:
        """One picture; what is asked again for the same item, now or after a pause, bears the same key."""
        wanted = GenerationRequest(request.prompt, *request.size, self._name, request.seed)
        try:
            made = await self._client.generate(wanted, calls=calls, idempotency_key=f"{request.job_id}:{request.item}")
            return await self._client.fetch(made.image_url)
        except RateLimitError as error:
            if error.for_everybody:
                await calls.close_gate(error.retry_after)
            raise RenderDeferred(error.retry_after, "rate limited") from None
        except GenerationError as error:
            self._tell(error)
            raise RenderFailed(failure(error.reason, retryable=error.retryable)) from error

    async def health(self) -> None:
        """Returns when the API is well; raises Unavailable otherwise."""
        try:
            await self._client.check_health()
        except GenerationError as error:
            self._tell(error)
            raise Unavailable("the image service is not well") from error

    async def close(self) -> None:
        """Cuts what is under way."""
        await self._client.close()

    def _tell(self, error: GenerationError) -> None:
        about = {"model": self.model, "why": str(error), "reason": error.reason}
        if isinstance(error, ProviderAuthError):
            log.error(MEND_KEY, extra=about)
        else:
            log.warning("the image service made no picture", extra=about)
