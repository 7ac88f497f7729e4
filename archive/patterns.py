"""Patterns of SQL's LIKE, which take time in proportion to pattern and text. Pure."""

import re

_STARS = re.compile(r"\*+")
_SPECIAL = re.compile(r"([\\%_])")


def like_text(text: str) -> str:
    """The part of a pattern that stands for exactly this text."""
    return _SPECIAL.sub(r"\\\1", text)


def like_glob(glob: str) -> str:
    """The pattern of a glob: a star, or many in a row, stand for any characters, and all else for itself."""
    return "%".join(map(like_text, _STARS.split(glob)))
