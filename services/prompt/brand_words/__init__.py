"""A brand in words that an image model follows: it cannot read a colour code as surely as a colour's name, knows few
typefaces by theirs, and takes one adjective for less than what it looks like.
"""

from services.prompt.brand_words.colors import palette
from services.prompt.brand_words.tones import direction
from services.prompt.brand_words.typefaces import letters

__all__ = ["direction", "letters", "palette"]
