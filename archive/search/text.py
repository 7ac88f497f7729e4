"""How text is folded and cut into words, the same for what is stored and for what is asked. Pure.

PostgreSQL's core has no index for substrings. So of each word every end is a lexeme ("mouse", "ouse", "use", "se",
"e"), and a part of a word is then the beginning of a lexeme, which its index finds
(docs/decisions/search-by-word-ends.md).
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

# Letters and digits without a break: what a lexeme can be.
WORD = re.compile(r"[^\W_]+")
# A longer word is indexed as overlapping pieces, so that each part of it of up to PROBE characters begins a lexeme.
PIECE = 48
PROBE = 24
# What a lexeme that is a word from its start begins with; no word has it.
START = "^"
# PostgreSQL's limit for the lexemes of a row is 2**20 bytes.
MAX_LEXEME_BYTES = 900_000
MAX_TEXT = 2_000_000

_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)")


def fold(text: str) -> str:
    """`text` without case and accents, and with single spaces for any white space."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(plain.casefold().split())


def searchable_text(metadata: Any) -> str:
    """Metadata as folded JSON text, of which at most MAX_TEXT characters; what JSON escapes is written as it is."""
    json_text = json.dumps(metadata, ensure_ascii=False)[:MAX_TEXT]
    return fold(_ESCAPE.sub(lambda match: match[1] if match[1] in '"\\/' else " ", json_text))


def lexemes(text: str) -> list[str]:
    """All ends of all words of a folded text, and the words whole behind a START; no more of them than a row can hold.

    Each is there once.
    """
    found: set[str] = set()
    budget = MAX_LEXEME_BYTES
    for word in dict.fromkeys(WORD.findall(text)):
        new = {START + word[:PIECE]}.union(*(_ends(piece) for piece in _pieces(word))) - found
        budget -= sum(len(lexeme.encode()) for lexeme in new)
        if budget < 0:
            break
        found |= new
    return list(found)


def _ends(piece: str) -> Iterator[str]:
    return (piece[start:] for start in range(len(piece)))


def _pieces(word: str) -> Iterator[str]:
    """The whole of a short word; overlapping pieces of a long one, the last of which ends where it ends."""
    starts = range(0, max(len(word) - PROBE, 1), PIECE - PROBE)
    return (word[start : start + PIECE] for start in starts)


def probes(text: str) -> list[str]:
    """What is true of the lexemes of every folded text that has `text` (folded) in it, in PostgreSQL's words."""
    return [_probe(match, text) for match in WORD.finditer(text)]


def _probe(match: re.Match[str], text: str) -> str:
    start = START if match.start() > 0 else ""
    is_whole = match.end() < len(text) and len(match[0]) <= PROBE
    # Words are letters and digits alone, so there is nothing to quote in them.
    return f"'{start}{match[0][:PROBE]}'{'' if is_whole else ':*'}"


def is_told_by_probes(text: str) -> bool:
    """Whether a text has `text` in it if, and not only if, its lexemes do: so it is with a part of one word."""
    return len(text) <= PROBE and WORD.fullmatch(text) is not None
