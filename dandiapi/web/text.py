"""What people have written, as HTML that is safe to show."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache as keep
from hashlib import sha256
from itertools import groupby

import nh3
from django.core.cache import cache
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from redis.exceptions import RedisError

# Pictures from elsewhere would tell their owners who reads what; landmarks and the heading of a page are its own.
TAGS = nh3.ALLOWED_TAGS - {"area", "article", "aside", "footer", "h1", "header", "img", "map", "nav"}
ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}}
SCHEMES = ("http://", "https://")

# A text's own headings come below the one that the page gives it.
HEADINGS_DOWN = 2

LINK_END = Token("link_close", "a", -1)

# A line of a table is filled up with empty cells, and what a link is to is said once for many links to it: a short text
# may become a long page. This many cells, and characters of what links are to, no honest text has.
MAX_CELLS = 20_000
MAX_LINKED = 500_000
REMEMBERED_SECONDS = 24 * 3600


def remembered_markdown(text: str) -> SafeString:
    """The same as `render_markdown`, which takes its time, done once a day for a text."""
    name = f"markdown:{sha256(text.encode()).hexdigest()}"
    with suppress(RedisError):
        if known := cache.get(name):
            return mark_safe(str(known))  # noqa: S308 - it was safe when it was remembered
    html = render_markdown(text)
    with suppress(RedisError):
        cache.set(name, html, REMEMBERED_SECONDS)
    return html


def render_markdown(text: str, *, keep_lines: bool = False) -> SafeString:
    """Markdown as HTML; with `keep_lines`, where a line ends in the text it ends on the page.

    Scripts, styles, forms and pictures are left out; a link stands where a picture was. Tables and links that would
    make far more of a text than there is in it are shown as they were written.
    """
    markdown = _markdown(keep_lines, with_tables=_cells_at_most(text) <= MAX_CELLS)
    tokens = markdown.parse(text)
    if sum(map(_linked, tokens)) > MAX_LINKED:
        return format_html("<pre>{}</pre>", text)
    html: str = markdown.renderer.render(_adapted(tokens), markdown.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        link_rel="nofollow noopener",
        url_schemes={"http", "https"},
    )
    return mark_safe(clean)  # noqa: S308 - nh3 has just made it so


def web_address(value: object) -> str:
    """`value` if it is an address that a link may lead to, else ""."""
    return value if isinstance(value, str) and value.lower().startswith(SCHEMES) else ""


@keep
def _markdown(keep_lines: bool, *, with_tables: bool) -> MarkdownIt:
    rules = ["table", "strikethrough"] if with_tables else ["strikethrough"]
    return MarkdownIt("commonmark", {"html": True, "breaks": keep_lines}).enable(rules)


def _cells_at_most(text: str) -> int:
    """How many cells the tables in the text can have: each line those of the longest between the same empty ones."""
    blocks = (lines for is_text, lines in groupby(text.splitlines(), key=lambda line: bool(line.strip())) if is_text)
    bars = ([line.count("|") + 1 for line in lines] for lines in blocks)
    return sum(max(block) * len(block) for block in bars if max(block) > 1)


def _linked(token: Token) -> int:
    """How many characters there are in what the links and pictures in a token are to."""
    own = sum(len(str(value)) for value in token.attrs.values())
    return own + sum(map(_linked, token.children or ()))


def _adapted(tokens: list[Token]) -> list[Token]:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + HEADINGS_DOWN, 6)}"
        if token.children:
            token.children = list(_without_pictures(token.children))
    return tokens


def _without_pictures(tokens: Sequence[Token]) -> Iterator[Token]:
    """A link to each picture in its place; inside a link, as with badges, its description only."""
    links = 0
    for token in tokens:
        links += token.nesting if token.type in {"link_open", "link_close"} else 0
        if token.type != "image":
            yield token
            continue
        text = Token("text", "", 0, content=token.content or "picture")
        yield from [text] if links else [Token("link_open", "a", 1, {"href": token.attrs["src"]}), text, LINK_END]


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """Drop links into the text's own folder, or within it: they would lead nowhere on this page."""
    return value if attribute != "href" or web_address(value) else None
