"""Folding text and cutting it into words, in the same way for the index and for searches. Pure.

PostgreSQL's core has no index for substrings. So of each word every end is a lexeme ("mouse", "ouse", "use", "se",
"e"), and a part of a word is then the beginning of a lexeme, which its index finds. Of each two words with a space
between them the seam is one too ("mouse cortex": "use cor") (docs/decisions/search-by-word-ends.md).
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

# A run of letters and digits, which a lexeme is made of.
WORD = re.compile(r"[^\W_]+")
# A longer word is indexed as overlapping pieces, so that each part of it of up to PROBE characters begins a lexeme.
PIECE = 48
PROBE = 24
# How much of the words on both sides of a space is kept together, so that a phrase is not looked for in every text
# that has its words.
SEAM = 3
# The prefix of lexemes that are whole words; no word contains it.
START = "^"
# PostgreSQL's limit for the lexemes of a row is 2**20 bytes.
MAX_LEXEME_BYTES = 900_000
MAX_TEXT = 2_000_000

# European letters that Unicode does not decompose, as people without a key for them write them. In lower case, since
# the text's case is folded.
_PLAIN = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
        "ĸ": "q", "ǥ": "g", "ʒ": "z", "ƶ": "z", "ə": "a", "ɨ": "i", "ƀ": "b", "ґ": "г", "ʼ": "'", "’": "'", "ʻ": "'",
    }
)  # fmt: skip
# A word, and the one behind the space after it, if there is one.
_WORD_AND_NEXT = re.compile(rf"({WORD.pattern})(?: (?=({WORD.pattern})))?")
_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)")


def fold(text: str) -> str:
    """Return `text` without case and accents, in plain letters, and with single spaces for any white space."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(plain.casefold().translate(_PLAIN).split())


def searchable_text(metadata: Any, most: int = MAX_TEXT) -> str:
    """Return metadata as folded JSON text, at most so many characters of it, without the escapes of JSON."""
    json_text = json.dumps(metadata, ensure_ascii=False)[:most]
    return fold(_ESCAPE.sub(lambda match: match[1] if match[1] in '"\\/' else " ", json_text))


def lexemes(text: str) -> list[str]:
    """Return all ends of all words of a folded text, the words whole behind a START, and the seams between words.

    No more of them than a row can hold, and each once.
    """
    found: set[str] = set()
    budget = MAX_LEXEME_BYTES
    for word, following in dict.fromkeys(_WORD_AND_NEXT.findall(text)):
        seams = {_seam(word, following)} if following else set()
        new = {START + word[:PIECE]}.union(seams, *(_ends(piece) for piece in _pieces(word))) - found
        budget -= sum(len(lexeme.encode()) for lexeme in new)
        if budget < 0:
            break
        found |= new
    return list(found)


def _seam(word: str, following: str) -> str:
    return f"{word[-SEAM:]} {following[:SEAM]}"


def _ends(piece: str) -> Iterator[str]:
    return (piece[start:] for start in range(len(piece)))


def _pieces(word: str) -> Iterator[str]:
    """Yield a short word whole, and a long one in overlapping pieces, the last of which ends where the word ends."""
    starts = range(0, max(len(word) - PROBE, 1), PIECE - PROBE)
    return (word[start : start + PIECE] for start in starts)


def probes(text: str) -> list[str]:
    """Return the conditions, in PostgreSQL's words, on the lexemes of any folded text that contains `text` (folded)."""
    seams = [_seam_probe(match) for match in _WORD_AND_NEXT.finditer(text) if _is_seam_known(match)]
    return [_probe(match, text) for match in WORD.finditer(text)] + seams


def _probe(match: re.Match[str], text: str) -> str:
    start = START if match.start() > 0 else ""
    is_whole = match.end() < len(text) and len(match[0]) <= PROBE
    # Words consist of letters and digits, so they need no quoting.
    return f"'{start}{match[0][:PROBE]}'{'' if is_whole else ':*'}"


def _is_seam_known(match: re.Match[str]) -> bool:
    """Return whether the seam is one of the text: not behind a short first word, which may be the end of another."""
    return bool(match[2]) and (match.start() > 0 or len(match[1]) >= SEAM)


def _seam_probe(match: re.Match[str]) -> str:
    return f"'{_seam(match[1], match[2])}':*"


def is_told_by_probes(text: str) -> bool:
    """Return whether the probes alone tell if a text contains `text`: they do for a part of one word."""
    return len(text) <= PROBE and WORD.fullmatch(text) is not None
