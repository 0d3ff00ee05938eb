"""Makes users' words safe to put into a prompt, and leaves the words themselves alone.

What goes: characters nobody can see (`unseen`), tokens that carry structure for a language model (`structure`), and
phrases that order it about (`orders`, over the words of `lexicon`), also when they are written in look-alike letters
(`folding`) or in an encoding that a model reads all the same (`encodings`). What stays: every script, emoji with their
joiners, flags, hex colours, braces, shouting. Words alone are never suspicious ("System Shock remake", "FACE REVEAL"):
an order needs a verb and what it acts on. `sanitizer` puts the parts together; `findings` is what it reports.
"""

from services.prompt.sanitize.findings import Action, Finding, Sanitized, merged
from services.prompt.sanitize.sanitizer import MAX_LENGTH, sanitize
from services.prompt.sanitize.structure import FENCES

__all__ = ["FENCES", "MAX_LENGTH", "Action", "Finding", "Sanitized", "merged", "sanitize"]
