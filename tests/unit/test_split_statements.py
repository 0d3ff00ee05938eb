from __future__ import annotations

import pytest

from chassis.database.migrations import split_statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("-- one; two\nSELECT 1; -- three;", ["SELECT 1"]),
        ("/* one;\n two */ SELECT 1", ["SELECT 1"]),
        ("SELECT 'a;b', 'it''s; -- fine'; SELECT 2", ["SELECT 'a;b', 'it''s; -- fine'", "SELECT 2"]),
        ('SELECT "odd;name""; /*"', ['SELECT "odd;name""; /*"']),
        ("SELECT 4 - 1 / 2 -1", ["SELECT 4 - 1 / 2 -1"]),
        ("-- it's a comment; with an apostrophe\nSELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'never closed; SELECT 2", ["SELECT 'never closed", "SELECT 2"]),
        (" ;; \n-- nothing\n;", []),
    ],
)
def test_a_semicolon_ends_a_statement_unless_it_is_quoted_or_commented(text: str, expected: list[str]) -> None:
    assert split_statements(text) == expected
