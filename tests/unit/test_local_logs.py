"""What of the parts' output a person is shown."""

from __future__ import annotations

import pytest

from deploy.local.logs import alarm


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[12] 2026/01/01 10:00:00 [INF] Server is ready", None),
        ("[12] 2026/01/01 10:00:00 [ERR] disk full", "[12] 2026/01/01 10:00:00 [ERR] disk full"),
        (
            '{"level": "ERROR", "message": "unforeseen", "exc_info": "Traceback\\nValueError: x"}',
            "unforeseen: ValueError: x",
        ),
        ('{"level": "INFO", "message": "said ERROR and was not one"}', None),
        ("[12] 2026/01/01 10:00:00 [ERR] Error trying to connect to route (attempt 1): connection refused", None),
    ],
)
def test_errors_are_shown_and_what_is_none_is_not(line: str, shown: str | None) -> None:
    assert alarm(line) == shown
