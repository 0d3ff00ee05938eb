"""What ends a command early, in a sentence, with its exit code.

CommandFailed      1
├── ApiError       1   the API refused; its sentence
├── JobFailed      1   the job did not make all of its pictures
├── NotUsable      2   what was given cannot be used
│   └── NoToken    2   nothing says who is calling
└── Unreachable    3   nobody answers at the address
"""

from __future__ import annotations


class CommandFailed(Exception):
    """The command cannot go on; the message is all a person is shown."""

    exit_code = 1


class ApiError(CommandFailed):
    """The API refused."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class JobFailed(CommandFailed):
    """The job ended without all of its pictures."""


class NotUsable(CommandFailed):
    """Something that was given to the command cannot be used."""

    exit_code = 2


class NoToken(NotUsable):
    """There is neither a token nor a secret to make one with."""


class Unreachable(CommandFailed):
    """Nobody answers, or the answer broke off."""

    exit_code = 3
