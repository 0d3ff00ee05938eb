"""What the letters of well-known typefaces look like, in our words."""

from __future__ import annotations

_TABLE = """
montserrat: a geometric sans serif, wide, with even strokes
inter: a neutral sans serif with tall lowercase and open, even strokes
roboto: a sober sans serif, half geometric, half mechanical
roboto condensed: a narrow, sober sans serif with upright strokes
roboto mono: a monospaced sans serif, each letter in a box of one width
roboto slab: a slab serif with sturdy square feet and open curves
open sans: an open, friendly sans serif with upright stress
lato: a warm sans serif with half-rounded details
poppins: a geometric sans serif built of perfect circles, with one thickness of stroke
oswald: a tall, condensed sans serif in the manner of newspaper headlines
bebas neue: tall, condensed capitals only, with heavy, even strokes
bebas: tall, condensed capitals only, with heavy, even strokes
anton: very heavy, condensed, tightly spaced sans serif letters
league gothic: very tall, condensed, heavy sans serif letters
league spartan: a bold geometric sans serif with low contrast and round bowls
raleway: an elegant sans serif with thin strokes and wide round bowls
nunito: a rounded sans serif with soft stroke ends
quicksand: a light rounded geometric sans serif with circular bowls
rubik: a sans serif with slightly rounded corners and squarish bowls
work sans: a plain grotesque sans serif, wide and open
barlow: a slightly rounded, low-contrast sans serif like lettering on highway signs
barlow condensed: a narrow, low-contrast sans serif like lettering on highway signs
dm sans: a low-contrast geometric sans serif
manrope: a modern sans serif, half geometric, with open shapes
space grotesk: a technical sans serif with quirky, squared details
space mono: a monospaced retro-futurist typeface with geometric slab details
jetbrains mono: a monospaced typeface for code, with tall lowercase letters
fira sans: a humanist sans serif, clear and sturdy
fira code: a monospaced typeface for code, with open, sturdy letters
source sans pro: a clean humanist sans serif
source code pro: a monospaced typeface for code, clean and open
courier new: a thin typewriter typeface, monospaced, with slab feet
consolas: a monospaced typeface for code, with rounded curves
ubuntu: a humanist sans serif with rounded inner corners
exo 2: a futuristic geometric sans serif with softly cut corners
exo: a futuristic geometric sans serif with softly cut corners
orbitron: wide, futuristic, squared letters with even strokes and cut counters
rajdhani: a squared, narrow technical sans serif with rounded corners
teko: a tall, condensed, squared sans serif with even strokes
audiowide: wide, soft-cornered techno letters with horizontal cuts
russo one: heavy, wide, squared letters with a sporty look
black ops one: heavy military stencil letters with cut bridges
michroma: very wide, squared letters with rounded corners
aldrich: squared, technical letters with even strokes
chakra petch: a squared technical sans serif with clipped corners
saira: a squared, modular sans serif like lettering on sports cars
bungee: heavy, blocky sign letters, made to be stacked
press start 2p: square pixel letters of an eight-bit arcade game
vt323: narrow pixel letters of an old computer terminal
silkscreen: small, wide pixel capitals
pixelify sans: chunky pixel letters with stepped curves
bangers: heavy, slanted comic-book capitals
luckiest guy: chunky, bouncy cartoon capitals
comic sans ms: casual, rounded handwriting with even strokes
comic neue: casual, rounded handwriting with even, tidy strokes
fredoka: chunky, rounded, friendly letters
fredoka one: chunky, rounded, friendly letters
baloo: heavy, soft, rounded letters with a cheerful bounce
lilita one: fat, softly tapered, friendly letters
titan one: very fat, rounded cartoon letters
righteous: bold rounded letters in the manner of art deco posters
lobster: a bold, connected brush script
pacifico: a smooth, connected brush script with a surf look
permanent marker: rough capitals drawn with a felt marker
caveat: quick, lively handwriting with a pen
dancing script: a lively connected script with bouncing letters
great vibes: a formal connected script with sweeping capitals
creepster: jagged, dripping horror-film letters
nosifer: letters that drip like blood
metal mania: spiked, jagged heavy-metal letters
unifrakturmaguntia: blackletter with broken, angular strokes
cinzel: classical Roman capitals with sharp serifs, as if carved in stone
playfair display: a high-contrast serif with hairlines and ball ends
merriweather: a sturdy, readable serif with slightly condensed letters
lora: a calligraphic serif with moderate contrast
georgia: a sturdy serif with open, generous curves
times new roman: a narrow, classical book serif
abril fatface: a heavy, high-contrast display serif with hairline serifs
alfa slab one: very heavy slab serif letters with thick square feet
arvo: a geometric slab serif with even strokes
bodoni: an elegant serif with extreme contrast of thick and thin
garamond: a light, classical book serif
futura: a strict geometric sans serif with pointed apexes and round bowls
helvetica: a neutral, tightly spaced grotesque sans serif
helvetica neue: a neutral, tightly spaced grotesque sans serif
arial: a plain, neutral grotesque sans serif
impact: very heavy, condensed, tightly packed sans serif letters
avenir: a warm geometric sans serif
proxima nova: a sans serif between geometric and grotesque, with even strokes
gotham: a wide geometric sans serif with an urban, architectural look
din: an industrial sans serif like road signs, with even strokes
eurostile: wide, squared letters with rounded corners
bank gothic: wide, squared capitals with a cinematic look
agency fb: narrow, squared, even-stroked letters
verdana: a wide, open sans serif with generous spacing
trebuchet ms: a humanist sans serif with lively angles
tahoma: a compact, clear humanist sans serif
"""

TYPEFACES = {name: letters for line in _TABLE.strip().splitlines() for name, letters in [line.split(": ", 1)]}
"""What its letters look like, by a typeface's name in lower case."""
