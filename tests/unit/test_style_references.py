"""What a brand kit's style reference says: words, or an upload, or both."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.prompt.style_references import StyleReference, normalized_style, read_style

ID = "550e8400-e29b-41d4-a716-44665544abcd"


@pytest.mark.parametrize(
    ("text", "style", "stored"),
    [
        ("", StyleReference(""), ""),
        (" grainy, 90s anime ", StyleReference("grainy, 90s anime"), "grainy, 90s anime"),
        (f"upload:{ID}", StyleReference("", ID), f"upload:{ID}"),
        (f" upload:{ID} ", StyleReference("", ID), f"upload:{ID}"),
        (f"Upload:{ID} its light", StyleReference("its light", ID), f"upload:{ID} its light"),
        (f"upload:{ID.upper()} its light", StyleReference("its light", ID), f"upload:{ID} its light"),
        (f"upload:{ID}\n its\n light ", StyleReference("its\n light", ID), f"upload:{ID} its\n light"),
        ("Upload: a film", StyleReference("Upload: a film"), "Upload: a film"),
        (f"like upload:{ID}", StyleReference(f"like upload:{ID}"), f"like upload:{ID}"),
    ],
)
def test_a_style_is_words_or_an_upload_and_words(text: str, style: StyleReference, stored: str) -> None:
    assert read_style(text) == style
    assert normalized_style(text) == str(style) == stored
    assert read_style(stored) == style


@pytest.mark.parametrize(
    "text",
    [
        "upload:", "upload: ", "upload:7", f"upload: {ID}", f"upload:{ID}x", f"upload:{ID}, its light",
        f"upload:{ID[:-1]}", f"upload:{ID.replace('-', '')}", f"upload:{ID[:-1]}g", f"upload:upload:{ID}",
    ],
)  # fmt: skip
def test_what_begins_as_an_upload_and_names_none_is_refused_and_where_it_stood_before_it_is_words(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalized_style(text)

    assert [violation.field for violation in refused.value.violations] == ["style_reference"]
    assert read_style(text) == StyleReference(text.strip())


@given(st.text(), st.booleans())
@example("0", True)
def test_reading_again_what_was_stored_changes_nothing(words: str, names_upload: bool) -> None:
    text = f"upload:{ID} {words}" if names_upload else words
    try:
        stored = normalized_style(text)
    except Invalid:
        assert text.strip().startswith("upload:") and not names_upload
        return

    assert normalized_style(stored) == stored
    assert (read_style(stored).upload_id == ID) is names_upload or words.strip().startswith("upload:")
    assert ID not in read_style(stored).words or ID in words
