"""Patterns that Postgres holds against texts, whatever they are, in bounded time. Pure."""

import re

_STARS = re.compile(r"\*+")
_SPECIAL = re.compile(r"([\\%_])")


def like_text(text: str) -> str:
    """Return the part of a LIKE pattern that stands for exactly this text."""
    return _SPECIAL.sub(r"\\\1", text)


def like_glob(glob: str) -> str:
    """Return the LIKE pattern of a glob: stars stand for any characters, and all else for itself."""
    return "%".join(map(like_text, _STARS.split(glob)))


def regex_text(text: str) -> str:
    """Return the regular expression that finds exactly this text anywhere, in linear time.

    LIKE takes that times the length of the text, where much looks nearly like it, as `aaaab` in `aaaaaaaa`.
    """
    return f"***={text}"
