"""Colours that have a name most people, and most models, know.

The first are the named colours of CSS Color Module Level 4, https://www.w3.org/TR/css-color-4/#named-colors. Their
values are CSS's; their names are too, in plain words, but for those of things, which a model might paint (`tomato` is
tomato red), and those that others give to another colour (`lime` is vivid green). The rest is ours: the very dark, the
dusty and the neon colours that streams are full of and CSS has no name for.
"""

from __future__ import annotations

_CSS = """
alice blue #F0F8FF; almond cream #FFEBCD; antique white #FAEBD7; aquamarine #7FFFD4; azure white #F0FFFF;
beige #F5F5DC; bisque beige #FFE4C4; black #000000; blue #0000FF; blue-violet #8A2BE2; bronze brown #CD853F;
brown #A52A2A; burlywood brown #DEB887; cadet blue #5F9EA0; chartreuse green #7FFF00; chocolate brown #D2691E;
coral orange #FF7F50; cornflower blue #6495ED; crimson #DC143C; cyan #00FFFF; dark blue #00008B;
dark cyan #008B8B; dark goldenrod #B8860B; dark green #006400; dark grey #A9A9A9; dark khaki #BDB76B;
dark magenta #8B008B; dark olive green #556B2F; dark orange #FF8C00; dark orchid purple #9932CC;
dark red #8B0000; dark salmon pink #E9967A; dark sea green #8FBC8F; dark slate blue #483D8B;
dark slate grey #2F4F4F; dark turquoise #00CED1; dark violet #9400D3; deep magenta pink #C71585;
deep pink #FF1493; deep sky blue #00BFFF; dim grey #696969; dodger blue #1E90FF; dusty red #CD5C5C;
dusty rose pink #DB7093; firebrick red #B22222; floral white #FFFAF0; forest green #228B22;
ghost white #F8F8FF; golden yellow #FFD700; goldenrod yellow #DAA520; green #008000; green-yellow #ADFF2F;
grey #808080; honeydew white #F0FFF0; hot pink #FF69B4; indigo #4B0082; ivory white #FFFFF0;
khaki yellow #F0E68C; lavender blush white #FFF0F5; lawn green #7CFC00; lemon cream #FFFACD;
light blue #ADD8E6; light coral pink #F08080; light cyan #E0FFFF; light green #90EE90; light grey #D3D3D3;
light pink #FFB6C1; light salmon orange #FFA07A; light sea green #20B2AA; light sky blue #87CEFA;
light slate grey #778899; light steel blue #B0C4DE; light violet #EE82EE; light yellow #FFFFE0;
lime green #32CD32; linen white #FAF0E6; magenta #FF00FF; maroon red #800000; medium aquamarine #66CDAA;
medium blue #0000CD; medium orchid purple #BA55D3; medium purple #9370DB; medium sea green #3CB371;
medium slate blue #7B68EE; medium spring green #00FA9A; medium turquoise #48D1CC; midnight blue #191970;
mint cream #F5FFFA; misty rose pink #FFE4E1; moccasin beige #FFE4B5; navy blue #000080; old lace white #FDF5E6;
olive drab green #6B8E23; olive green #808000; orange #FFA500; orange-red #FF4500; orchid purple #DA70D6;
pale corn cream #FFF8DC; pale goldenrod cream #FAFAD2; pale goldenrod yellow #EEE8AA; pale green #98FB98;
pale lavender #E6E6FA; pale plum purple #DDA0DD; pale turquoise #AFEEEE; papaya cream #FFEFD5; peach #FFDAB9;
pink #FFC0CB; powder blue #B0E0E6; purple #800080; red #FF0000; rosy brown #BC8F8F; royal blue #4169E1;
royal purple #663399; saddle brown #8B4513; salmon pink #FA8072; sand beige #FFDEAD; sandy brown #F4A460;
sea green #2E8B57; seashell white #FFF5EE; sienna brown #A0522D; silver grey #C0C0C0; sky blue #87CEEB;
slate blue #6A5ACD; slate grey #708090; smoke white #F5F5F5; snow white #FFFAFA; spring green #00FF7F;
steel blue #4682B4; tan brown #D2B48C; teal #008080; thistle purple #D8BFD8; tomato red #FF6347;
turquoise #40E0D0; very light grey #DCDCDC; vivid green #00FF00; wheat beige #F5DEB3; white #FFFFFF;
yellow #FFFF00; yellow-green #9ACD32
"""
_OURS = """
charcoal grey #36454F; graphite grey #2E2E2E; gunmetal grey #2A3439; soft black #141414; ink blue #0B1B3B;
blue-black #0A0A23; petrol blue #0B3C49; cobalt blue #0047AB; electric blue #0050FF; sapphire blue #0F52BA;
electric cyan #00E5FF; pine green #01403A; bottle green #0B3B24; black-green #04150E; emerald green #50C878;
jade green #00A86B; neon green #39FF14; mint green #98FF98; moss green #4A5D23; amber yellow #FFBF00;
mustard yellow #D4A017; cream #FFFDD0; peach orange #FFCBA4; terracotta #C65D3B; rust orange #B7410E;
copper brown #B87333; coffee brown #4B3621; espresso brown #2B1B14; burgundy red #800020; wine red #722F37;
oxblood red #4A0000; black-red #1A0505; deep crimson #B00020; scarlet red #FF2400; neon red #FF1744;
ruby red #E0115F; neon pink #FF0066; blush pink #F4C2C2; aubergine purple #311432; dark plum purple #4B1B3F;
purple-black #1A0B2E; deep violet #2E1065; electric violet #7C3AFF; electric purple #BF00FF; lilac #C8A2C8;
mauve #915F6D; periwinkle #9997CC;
dusty violet #6B6790; dark mauve #564F63; dark teal #15697F; sage green #7D8F7A; taupe brown #8B7A5B; bronze #7D6128;
taupe grey #8B8589; dusty purple #8E5A90; cerulean blue #0A94B8; pale mint green #B8E0C2; raspberry red #8E1152
"""

COLOR_NAMES: dict[str, str] = {
    name: color
    for entry in f"{_CSS};{_OURS}".replace("\n", " ").split(";")
    for name, _, color in [entry.strip().rpartition(" ")]
}
"""`#RRGGBB`, by name."""
