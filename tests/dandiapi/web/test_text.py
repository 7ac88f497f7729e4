"""What people write, as HTML."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dandiapi.web.text import remembered_markdown, render_markdown, web_address


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# One", "<h3>One</h3>"),
        ("##### Five", "<h3>Five</h3>"),
        ("# One\n#### Four\n# One", "<h3>One</h3>\n<h4>Four</h4>\n<h3>One</h3>"),
        ("<h1>One</h1><h4>Four</h4>", "<h3>One</h3><h4>Four</h4>"),
        ("# a\n## b\n### c\n#### d\n##### e", "<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>\n<h6>d</h6>\n<h6>e</h6>"),
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <s>d</s></p>"),
        ("[a](https://b.org)", '<p><a href="https://b.org" rel="nofollow noopener">a</a></p>'),
        ("<https://b.org>", '<p><a href="https://b.org" rel="nofollow noopener">https://b.org</a></p>'),
        ("![A cat](https://b.org/c.png)", '<p><a href="https://b.org/c.png" rel="nofollow noopener">A cat</a></p>'),
        (
            "[![Build](https://b.org/c.svg)](https://d.org)",
            '<p><a href="https://d.org" rel="nofollow noopener">Build</a></p>',
        ),
        ("[a *b*](other.md)", "<p>a <em>b</em></p>"),
        ("[a](#b)", "<p>a</p>"),
        ("[a](ftp://b.org)", "<p>a</p>"),
        ("![A cat](c.png)", "<p>A cat</p>"),
        ('<img alt="a > b" src="c.png">a', "<p>a</p>"),
        ("a <b onclick=x>b</b>", "<p>a <b>b</b></p>"),
        ("a <a href='javascript:x' title='>'>b</a>", "<p>a b</p>"),
        ("a\nb", "<p>a\nb</p>"),
    ],
)
def test_markdown_becomes_html(markdown: str, html: str) -> None:
    assert render_markdown(markdown).strip() == html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[a](code/b.py)", '<p><a href="/f/code/b.py" rel="nofollow noopener">a</a></p>'),
        ("[a](./b%20c.txt#d)", '<p><a href="/f/b%20c.txt" rel="nofollow noopener">a</a></p>'),
        ("[a](/code/)", '<p><a href="/f/code" rel="nofollow noopener">a</a></p>'),
        ("<a href=code/../b.txt>a</a>", '<p><a href="/f/b.txt" rel="nofollow noopener">a</a></p>'),
        ("[a](https://b.org)", '<p><a href="https://b.org" rel="nofollow noopener">a</a></p>'),
        ("![A cat](pics/c.png)", '<p><img src="/f/pics/c.png" alt="A cat"></p>'),
        ('<img src="pics/c.SVG" alt="A cat" onload="x">', '<img src="/f/pics/c.SVG" alt="A cat">'),
        (
            "[![A cat](c.png)](d.txt)",
            '<p><a href="/f/d.txt" rel="nofollow noopener"><img src="/f/c.png" alt="A cat"></a></p>',
        ),
        ("![A cat](https://b.org/c.png)", '<p><a href="https://b.org/c.png" rel="nofollow noopener">A cat</a></p>'),
        ("![A cat](//b.org/c.png)", "<p>A cat</p>"),
        ("![A table](c.tsv)", '<p><a href="/f/c.tsv" rel="nofollow noopener">A table</a></p>'),
        ("<img src=https://b.org/c.png>", ""),
        ("[a](../../admin/)", "<p>a</p>"),
        ("[a](%2e%2e/admin/)", "<p>a</p>"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>"),
        ("[a](//b.org)", "<p>a</p>"),
        ("[a](http://[)", "<p>a</p>"),
        ("[a](#b)", "<p>a</p>"),
    ],
)
def test_relative_links_and_pictures_lead_to_the_files_beside_the_text(markdown: str, html: str) -> None:
    assert render_markdown(markdown, files="/f/").strip() == html


def test_lines_are_kept_when_asked_for() -> None:
    assert render_markdown("a\nb", keep_lines=True) == "<p>a<br>\nb</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src=https://b.org></iframe>",
        "<form action=/x><input name=y><button>z</button></form>",
        "<style>*{}</style><p style='x'>",
        "<a href='data:text/html,x' target=_blank>b</a>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    ],
)
def test_what_is_dangerous_is_left_out(text: str) -> None:
    html = render_markdown(text)
    bad = ["<script", "<img", "<svg", "<iframe", "<form", "<input", "<button", "<style", "style=", "onerror", "data:"]
    assert [word for word in bad if word in html] == []


@given(st.text(alphabet="ab<>[]()!*_`#&\"'=/:\\ \n-|~."))
def test_any_text_can_be_shown_and_leads_nowhere_else(text: str) -> None:
    assert "<img" not in render_markdown(text)
    addresses = re.findall(r'(?:href|src)="([^"]*)"', render_markdown(text, files="/f/"))
    assert [address for address in addresses if not address.startswith(("/f/", "http"))] == []
    assert "/.." not in "".join(addresses)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://a.org", "https://a.org"),
        ("HTTP://a.org", "HTTP://a.org"),
        ("javascript:alert(1)", ""),
        (" https://a.org", ""),
        ("//a.org", ""),
        ("ftp://a.org", ""),
        ("", ""),
        (None, ""),
        (["https://a.org"], ""),
    ],
)
def test_only_addresses_of_the_web_are_linked(value: object, address: str) -> None:
    assert web_address(value) == address


@pytest.mark.parametrize(
    "text",
    [
        "|a" * 1250 + "\n" + "|-" * 1250 + "\n" + "|\n" * 2500,
        "> " + "|a" * 1250 + "\n> " + "|-" * 1250 + "\n" + "> |\n" * 1600,
        "[a]: http://x/" + "y" * 5000 + "\n\n" + "[a]" * 1600,
        '[a]: http://x "' + "y" * 5000 + '"\n\n' + "[a]" * 1600,
        "![a]\n" * 1600 + "\n[a]: http://x/" + "y" * 5000,
    ],
)
def test_cheap_text_becomes_no_long_page(text: str) -> None:
    assert len(render_markdown(text)) < 2 * len(text)


def test_table_is_shown_in_a_long_text() -> None:
    rows = "|a|b|c|\n|-|-|-|\n" + "|1|2|3|\n" * 1000
    assert render_markdown("A line with a bar: |\n\n" * 5000 + rows).count("<td>") == 3000


def test_text_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = remembered_markdown("*a*")
    monkeypatch.setattr("dandiapi.web.text.render_markdown", lambda _: pytest.fail("It was rendered again."))
    assert (remembered_markdown("*a*"), first) == ("<p><em>a</em></p>\n",) * 2
