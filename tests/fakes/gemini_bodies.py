"""What the Gemini API answers, in the shapes that were recorded from it."""

from __future__ import annotations

import base64
from typing import Any

Body = Any
"""Of JSON."""

FREE_PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
FREE_PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


def served(*parts: Body, finish_reason: str = "STOP") -> Body:
    """A candidate with these parts."""
    return {
        "candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": finish_reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 262, "candidatesTokenCount": 1290, "totalTokenCount": 1552},
        "modelVersion": "gemini-nano-banana-2.1",
        "responseId": "8QcNabHsEpGuz7IPqJ3nkQo",
    }


def image(data: bytes, mime_type: str = "image/png", **more: Body) -> Body:
    """A part that is a picture."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}, **more}


def refused(finish_reason: str) -> Body:
    """A candidate without content, as it comes when the picture was held back."""
    return {
        "candidates": [
            {
                "finishReason": finish_reason,
                "index": 0,
                "finishMessage": "Unable to show the generated image. Support code: 15236754.",
            }
        ],
        "usageMetadata": {"promptTokenCount": 262, "totalTokenCount": 262},
        "modelVersion": "gemini-nano-banana-2.1",
    }


def blocked(block_reason: str = "PROHIBITED_CONTENT") -> Body:
    """What comes instead of candidates when the prompt was not even looked at."""
    return {
        "promptFeedback": {"blockReason": block_reason},
        "usageMetadata": {"promptTokenCount": 262, "totalTokenCount": 262},
        "modelVersion": "gemini-nano-banana-2.1",
    }


def error(code: int, status: str, message: str, *details: Body) -> Body:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def retry_info(delay: str) -> Body:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota_failure(quota_id: str) -> Body:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [
            {
                "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                "quotaId": quota_id,
                "quotaDimensions": {"model": "gemini-nano-banana-2.1", "location": "global"},
                "quotaValue": "10",
            }
        ],
    }


def exhausted(delay: str = "37s", quota_id: str = FREE_PER_MINUTE, *, limit: int = 10) -> Body:
    """A 429 with everything it may hold."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    message = (
        "You exceeded your current quota, please check your plan and billing details.\n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: gemini-nano-banana-2.1\n"
        f"Please retry in {delay}."
    )
    help_links = {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Learn more", "url": "…"}]}
    return error(429, "RESOURCE_EXHAUSTED", message, help_links, quota_failure(quota_id), retry_info(delay))


def bad_key() -> Body:
    """Google says 400 to a key that it does not know."""
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason)


def no_billing() -> Body:
    message = "Gemini API free tier is not available in your country. Please enable billing on your project."
    return error(400, "FAILED_PRECONDITION", message)


def invalid_argument() -> Body:
    return error(400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "imageOutputOptions"')


def model_gone(model: str) -> Body:
    return error(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta")


def overloaded() -> Body:
    return error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
