"""Letters that look like a letter of the basic alphabet, and what they look like.

The single letters of Latin, Greek, Coptic, Cyrillic, Armenian, Cherokee, Canadian and Lisu script that Unicode's
confusables.txt (UTS #39; © Unicode, Inc., under the Unicode License v3) gives for a letter, and some small ones that it
leaves out, since a model reads `к` for `k` all the same. What normalisation folds by itself is not in it.
"""

from __future__ import annotations

_LOOK_ALIKES = {
    "a": "ɑΑαАаᎪᗅᴀꓮ",
    "b": "ƄʙΒβВЬьᏏᏴᑲᖯᗷꓐꞴ",
    "c": "ϲϹСсᏟᴄⲤⲥꓚꮯ",
    "d": "δԁᎠᏧᑯᗞᗪᴅꓒꓓ",
    "e": "ΕεЕеєҽᎬᴇꓰꬲ",
    "f": "ϜքᖴẝꓝꜰꞘꞙꬵ",
    "g": "ƍɡɢԌցᏀᏳᶃꓖ",
    "h": "ʜΗНһհᎻᏂᕼⲎꓧ",
    "i": "ıƖɩɪΙιІіӀӏᎥιꙇꭵ",
    "j": "ͿϳЈјᎫᒍᴊꓙꞲ",
    "k": "ΚκКкᏦᴋⲔꓗ",
    "l": "ǀʟᏞᒪⲒⳐꓡꓲ",
    "m": "ΜϺМмᎷᗰᴍⲘꓟ",
    "n": "ᏁɴΝηпոռⲚꓠ",
    "o": "ᎾΟοσОоՕօᴏᴑⲞⲟꓳꬽ",
    "p": "ΡρϱРрᏢᑭᴘⲢⲣꓑ",
    "q": "ԛգզ",
    "r": "ƦʀгᎡᏒᖇᴦⲅꓣꭇꭈꮁ",
    "s": "ƽЅѕՏᏕᏚꓢꜱꮪ",
    "t": "ΤτТтᎢᴛⲦꓔ",
    "u": "ʋυՍսᑌᴜꓴꞟꭎꭒ",
    "v": "νѴѵᏙᐯᴠꓦꮩ",
    "w": "ɯωѡԜԝաᎳᏔᴡꓪꮃ",
    "x": "ΧχХхᕁᕽⲬꓫꞳ",
    "y": "ɣʏΥγϒУуҮүᎩᎽᶌỿⲨꓬꭚ",
    "z": "ΖᏃᴢꓜꮓ",
}

LOOKS_LIKE = {look_alike: letter for letter, look_alikes in _LOOK_ALIKES.items() for look_alike in look_alikes}
