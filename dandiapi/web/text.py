"""Texts that people have written, as HTML that is safe to show."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache as keep
from functools import partial
from hashlib import sha256
from itertools import groupby
from posixpath import normpath
from urllib.parse import quote, unquote, urlsplit

import nh3
from django.core.cache import cache
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from redis.exceptions import RedisError

# Landmarks are reserved for the page itself.
TAGS = nh3.ALLOWED_TAGS - {"area", "article", "aside", "footer", "header", "map", "nav"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"alt", "src", "title"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}
SCHEMES = ("http://", "https://")
PICTURES = (".apng", ".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")

# The level of the heading that the page gives to a text; the text's own headings come below it.
HEADING = 2

LINK_END = Token("link_close", "a", -1)

# Markdown fills up the rows of a table with empty cells, and repeats the target of a link for each reference to it, so
# that a short text may become a very long page. No honest text reaches these limits.
MAX_CELLS = 20_000
MAX_LINKED = 500_000
REMEMBERED_SECONDS = 24 * 3600

# Links without a target and pictures without a source, as nh3 writes them.
_ATTRIBUTE = r'\s(?!{without}=)[\w-]+="[^"]*"'
_DEAD_LINK = re.compile(rf"<a(?:{_ATTRIBUTE.format(without='href')})*>(.*?)</a>", re.DOTALL)
_HEADING = re.compile(r"<(/?)h([1-6])>")
_DEAD_PICTURE = re.compile(rf"<img(?:{_ATTRIBUTE.format(without='src')})*>")


def remembered_markdown(text: str) -> SafeString:
    """Return what `render_markdown` returns, rendered once a day for a text."""
    name = f"markdown:{sha256(text.encode()).hexdigest()}"
    with suppress(RedisError):
        if known := cache.get(name):
            return mark_safe(str(known))  # noqa: S308 - it was safe when it was remembered
    html = render_markdown(text)
    with suppress(RedisError):
        cache.set(name, html, REMEMBERED_SECONDS)
    return html


def render_markdown(text: str, *, keep_lines: bool = False, files: str = "") -> SafeString:
    """Return Markdown as HTML; with `keep_lines`, lines end on the page where they end in the text.

    `files` is the address below which the text's own folder lies: links and pictures that are relative lead there, and
    to nowhere else; without it they are words. Scripts, styles and forms are left out. A link stands where a picture
    from elsewhere was, which would tell its owners who reads what. Tables and links that would make far more of a text
    than there is in it are shown as they were written.
    """
    markdown = _markdown(keep_lines, with_tables=_cells_at_most(text) <= MAX_CELLS)
    tokens = markdown.parse(text)
    if sum(map(_linked, tokens)) > MAX_LINKED:
        return format_html("<pre>{}</pre>", text)
    html: str = markdown.renderer.render(_adapted(tokens, files), markdown.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=partial(_resolved, files),
        link_rel="nofollow noopener",
        url_schemes={"http", "https"},
    )
    living = _DEAD_LINK.sub(r"\1", _DEAD_PICTURE.sub("", clean))
    return mark_safe(_with_headings_in_order(living))  # noqa: S308 - nh3 has just made it so


def web_address(value: object) -> str:
    """Return `value` if it is an address that a link may lead to, else ""."""
    return value if isinstance(value, str) and value.lower().startswith(SCHEMES) else ""


def _address_of_file(files: str, reference: str) -> str:
    """Return the address of the file below `files` that a relative reference names; "" if it names none."""
    try:
        scheme, host, path, _, _ = urlsplit(reference)
    except ValueError:
        return ""
    if not files or scheme or host or not path:
        return ""
    place = normpath(unquote(path).lstrip("/"))
    return "" if place.startswith("..") else f"{files}{quote(place)}"


def _picture(files: str, reference: str) -> str:
    """Return the address of a picture among the files; "" if it is no picture, or from elsewhere."""
    address = _address_of_file(files, reference)
    return address if address.lower().endswith(PICTURES) else ""


@keep
def _markdown(keep_lines: bool, *, with_tables: bool) -> MarkdownIt:
    rules = ["table", "strikethrough"] if with_tables else ["strikethrough"]
    return MarkdownIt("commonmark", {"html": True, "breaks": keep_lines}).enable(rules)


def _cells_at_most(text: str) -> int:
    """Return the highest number of cells that the tables in the text can have once all rows are filled up."""
    blocks = (lines for is_text, lines in groupby(text.splitlines(), key=lambda line: bool(line.strip())) if is_text)
    bars = ([line.count("|") + 1 for line in lines] for lines in blocks)
    return sum(max(block) * len(block) for block in bars if max(block) > 1)


def _linked(token: Token) -> int:
    """Return how many characters the targets of links and pictures in a token have."""
    own = sum(len(str(value)) for value in token.attrs.values())
    return own + sum(map(_linked, token.children or ()))


def _adapted(tokens: list[Token], files: str) -> list[Token]:
    for token in tokens:
        if token.children:
            token.children = list(_without_foreign_pictures(token.children, files))
    return tokens


def _without_foreign_pictures(tokens: Sequence[Token], files: str) -> Iterator[Token]:
    """Yield the tokens with a link in place of each picture from elsewhere; in links, with its description."""
    links = 0
    for token in tokens:
        links += token.nesting if token.type in {"link_open", "link_close"} else 0
        if token.type != "image" or _picture(files, str(token.attrs["src"])):
            yield token
            continue
        text = Token("text", "", 0, content=token.content or "picture")
        yield from [text] if links else [Token("link_open", "a", 1, {"href": token.attrs["src"]}), text, LINK_END]


def _with_headings_in_order(html: str) -> str:
    """Return the text with its headings below that of the page, none more than one level below the one before."""
    level = HEADING

    def moved(match: re.Match[str]) -> str:
        nonlocal level
        if not match[1]:
            level = min(int(match[2]) + HEADING, level + 1, 6)
        return f"<{match[1]}h{level}>"

    return _HEADING.sub(moved, html)


def _resolved(files: str, tag: str, attribute: str, value: str) -> str | None:
    """Return the address that a link leads to or a picture lies at; None, which drops it, if there is none."""
    if attribute == "href":
        return web_address(value) or _address_of_file(files, value) or None
    if attribute == "src":
        return _picture(files, value) or None
    return value
