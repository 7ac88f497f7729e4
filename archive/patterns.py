"""Patterns that Postgres holds against texts, whatever they are, in bounded time. Pure."""

import re

_STARS = re.compile(r"\*+")
_SPECIAL = re.compile(r"([\\%_])")


def like_text(text: str) -> str:
    """The part of a pattern that stands for exactly this text."""
    return _SPECIAL.sub(r"\\\1", text)


def like_glob(glob: str) -> str:
    """The pattern of a glob: a star, or many in a row, stand for any characters, and all else for itself."""
    return "%".join(map(like_text, _STARS.split(glob)))


def regex_text(text: str) -> str:
    """The regular expression of exactly this text, found anywhere in time in proportion to what is looked through.

    LIKE takes that times the length of the text, where much looks nearly like it, as `aaaab` in `aaaaaaaa`.
    """
    return f"***={text}"
