"""Parameters of requests: numbers, and names that may be encoded because they are not text."""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping

from archive.errors import InvalidError

_NUMBER = re.compile(r"[0-9]{1,18}")
MAX_WORD = 4096


def plain(word: str) -> str:
    """Return a key, UUID or file name, which may come as `[` base64url `]`. Raises InvalidError for what is neither."""
    if len(word) > MAX_WORD:
        raise InvalidError("A name in the request is too long.")
    if not (word.startswith("[") and word.endswith("]")):
        return word
    try:
        return urlsafe_b64decode(word[1:-1].encode()).decode()
    except (binascii.Error, ValueError):
        raise InvalidError("What is in brackets in the request is not base64url of text.") from None


def number(word: str, name: str) -> int:
    """Return the number that is written so; InvalidError, with its name, for anything else."""
    if not _NUMBER.fullmatch(word):
        raise InvalidError(f"{name!r} has to be a whole number.")
    return int(word)


def required(words: Mapping[str, str], name: str) -> str:
    """Return the value of that name; InvalidError if it is missing."""
    word = words.get(name)
    if not word:
        raise InvalidError(f"The request needs {name!r}.")
    return word
