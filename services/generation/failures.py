"""Every way a job may fail, said once: for a program, and in a sentence for a streamer.

What an image API wrote is never shown; what is said here is ours.
"""

from __future__ import annotations

from services.generation.states import Failure

# Reason: whether the same job, tried again, may succeed; and the sentence.
_TABLE: dict[str, tuple[bool, str]] = {
    "CONTENT_POLICY": (False, "The image service refused this request under its content policy. Try other words."),
    "NO_IMAGE": (True, "The image service answered without a picture. Try again, or try other words."),
    "PROVIDER_RATE_LIMIT": (True, "The image service was too busy for too long. Please try again in a while."),
    "PROVIDER_QUOTA": (True, "The image service has no more pictures for us today. Please try again tomorrow."),
    "PROVIDER_TIMEOUT": (True, "The image service took too long to answer. Please try again."),
    "PROVIDER_ERROR": (True, "The image service failed. Please try again."),
    "PROVIDER_AUTH": (
        False,
        "The image service does not accept our key. We have to mend that; your job is not at fault.",
    ),
    "OUTCOME_UNKNOWN": (True, "The image service stopped answering half-way, so we did not ask a third time."),
    "UPLOAD_NOT_FOUND": (
        False,
        "The picture that your brand kit takes its style from is gone. Choose another one for the kit, then try again.",
    ),
    "INVALID_IMAGE": (True, "The image service sent a picture that cannot be used. Please try again."),
    "STORAGE_ERROR": (True, "Your picture could not be saved. Please try again; it will not be made anew."),
    "CANCELLED": (True, "This job was cancelled."),
    "DEADLINE_EXCEEDED": (True, "This took longer than it may. Please try again."),
    "INTERNAL": (True, "Something went wrong on our side. Please try again."),
}


def failure(reason: str, stage: str = "render", *, retryable: bool | None = None) -> Failure:
    """A failure with its sentence; `retryable` only where this one differs from the table."""
    usual, sentence = _TABLE[reason]
    return Failure(reason, stage, usual if retryable is None else retryable, sentence)
