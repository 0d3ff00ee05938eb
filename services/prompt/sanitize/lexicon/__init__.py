"""The words that orders to a language model are made of, by language and by what they do in an order.

Alone none of them means anything; `orders` says in which company they do. In a list a space separates words, `_` joins
the words of a phrase, and `*` ends a stem. Accents do not matter. What a word means in an earlier language counts.
"""

from __future__ import annotations

from services.prompt.sanitize.lexicon.eastern import EASTERN
from services.prompt.sanitize.lexicon.unspaced import UNSPACED
from services.prompt.sanitize.lexicon.western import WESTERN

__all__ = ["ROLES", "SPACED", "UNSPACED"]

SPACED = WESTERN | EASTERN

ROLES = {
    "drop": "V",  # ignore, forget
    "quit": "W",  # skip, delete: harmless beside most things
    "not": "n",
    "obey": "f",
    "void": "H",
    "earlier": "P",  # previous
    "above": "p",
    "system": "S",
    "system_prompt": "I",  # both in one
    "hidden": "s",
    "first": "g",  # original, secret
    "your": "Y",
    "all": "A",
    "everything": "E",
    "told": "T",
    "filler": "D",
    "and": "C",
    "instructions": "O",
    "prompt": "i",
    "guidelines": "G",
    "rules": "o",  # and other words that mostly mean no harm
    "harmless": "x",
    "new": "X",
    "reveal": "R",
    "show": "r",
    "what_are": "q",
    "verbatim": "z",
    "you_are": "B",
    "you_are_now": "Q",
    "as": "a",
    "now": "N",
    "model": "M",
    "dan": "L",
    "free": "U",
    "freed": "b",
    "bound": "t",
    "safety": "F",
    "filters": "K",
    "policy": "l",
    "safety_filters": "k",
    "disable": "d",
    "enable": "e",
    "developer_mode": "J",
    "jailbreak_mode": "j",
}
"""What a word does, and the letter that stands for it in the patterns of `orders`."""
