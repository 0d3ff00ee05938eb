"""`python -m tests.golden`: writes the files again."""

from __future__ import annotations

from tests.golden.prompts import golden_files

for path, text in golden_files():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
