"""Runbooks as HTML: what people write comes out as they meant it, and nothing in it is markup of their own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.render.markdown import first_sentence, to_html

TAGS = {
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "pre", "code", "a", "strong", "em", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
VOID = {"hr", "br"}
ATTRIBUTES = {"href", "rel", "start", "style"}

CASES = {
    "heading": ("## What to do ##", "<h2>What to do</h2>"),
    "paragraph": ("One line\nand the next.\n\nAnother.", "<p>One line\nand the next.</p>\n<p>Another.</p>"),
    "list": ("- a\n- b\n  goes on\n", "<ul>\n<li>a</li>\n<li>b\ngoes on</li>\n</ul>"),
    "list after a paragraph": ("Either:\n- a\n", "<p>Either:</p>\n<ul>\n<li>a</li>\n</ul>"),
    "list with space between": ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
    "numbers go on after an interruption": (
        "1. a\n\nmeanwhile\n\n2. b",
        '<ol>\n<li>a</li>\n</ol>\n<p>meanwhile</p>\n<ol start="2">\n<li>b</li>\n</ol>',
    ),
    "code in an item": (
        "1. ask:\n   ```\n   up == 0\n     # indented\n   ```\n   then:\n   - look\n2. go on",
        "<ol>\n<li>ask:<pre><code>up == 0\n  # indented\n</code></pre>\nthen:\n<ul>\n<li>look</li>\n</ul>\n</li>\n<li>go on</li>\n</ol>",
    ),
    "code block": ("```promql\na < b\n\n# no heading\n```", "<pre><code>a &lt; b\n\n# no heading\n</code></pre>"),
    "open code block": ("```\nleft open", "<pre><code>left open</code></pre>"),
    "code span": ("`a < b` and ``a ` b``", "<p><code>a &lt; b</code> and <code>a ` b</code></p>"),
    "bold and emphasis": ("a **b `c`** *d* e", "<p>a <strong>b <code>c</code></strong> <em>d</em> e</p>"),
    "table": (
        "| a | b |\n|---|---|\n| 1 | <2 |",
        "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td>1</td>\n<td>&lt;2</td>\n</tr>\n</tbody>\n</table>",
    ),
    "link": ("[docs](https://e.example/?a=1&b=2)", '<p><a href="https://e.example/?a=1&amp;b=2" rel="noreferrer">docs</a></p>'),
    "link with a title": ("[docs](https://e.example 'hover')", '<p><a href="https://e.example" rel="noreferrer">docs</a></p>'),
    "address": ("<https://e.example>", '<p><a href="https://e.example" rel="noreferrer">https://e.example</a></p>'),
    "another page": ("[see](OOMKilled.md)", '<p><a href="OOMKilled">see</a></p>'),
    "a page in a folder": ("[see](habits/no_clean_up.md)", '<p><a href="habits/no_clean_up">see</a></p>'),
    "a page of the root": ("[see](/etc/passwd.md)", "<p>see</p>"),
    "a heading of another page": ("[see](OOMKilled.md#impact)", '<p><a href="OOMKilled#impact">see</a></p>'),
    "a heading of this page": ("[see](#impact)", "<p>see</p>"),
    "link elsewhere in the repository": ("[*see*](../causes/leak.md)", "<p><em>see</em></p>"),
    "link without a scheme": ("[x](//e.example)", "<p>x</p>"),
    "link to an address of mail": ("[x](mailto:a@e.example)", "<p>x</p>"),
    "script as a link": ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
    "script as an address": ("<javascript:alert>", "<p>&lt;javascript:alert&gt;</p>"),
    "data as a link": ("[x](data:text/html,hi)", "<p>[x](data:text/html,hi)</p>"),
    "picture as a link": ("[x](data:image/png;base64,x)", "<p>x</p>"),
    "quote in a link": ('[x](https://e.example/"onclick=y)', '<p><a href="https://e.example/%22onclick=y" rel="noreferrer">x</a></p>'),
    "image": ("![a *graph*](https://e.example/x.png)", "<p>a graph</p>"),
    "raw HTML": ("<script>alert(1)</script> & co", "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</p>"),
    "entity": ("a &lt;b&gt; &amp; c", "<p>a &lt;b&gt; &amp; c</p>"),
    "template": ("{{ $labels.pod }}", "<p>{{ $labels.pod }}</p>"),
    "empty item": ("-\n- b", "<ul>\n<li></li>\n<li>b</li>\n</ul>"),
    "nothing": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_shown(name: str) -> None:
    """Each construct a runbook uses, and each thing that must stay text."""
    text, html = CASES[name]

    assert str(to_html(text)) == html


class _Page(HTMLParser):
    """Keeps an eye on what a browser would see: tags in balance, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in VOID else []
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= ATTRIBUTES
        assert all(re.fullmatch(r"text-align:(left|right|center)", value or "") for name, value in attrs if name == "style")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> _Page:
    page = _Page()
    page.feed(str(to_html(text)))
    page.close()
    return page


PIECES = st.sampled_from(
    ["# ", "## ", "- ", "1. ", "  ", "   ", "\n", "\n\n", "```", "`", "**", "[", "](", ")", "](https://e.example/)", "](javascript:x)", "<b>", "</p>",
     "&lt;", "<script>", '"', "'", "word", "*", "~~~", "10) ", "\t", "-", "+ ", "![", "> ", "|", "\n|-|-|\n", "<https://e.example>", "[x]: javascript:y\n"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=60).map("".join))
def test_any_text_is_a_harmless_page(text: str) -> None:
    """Tags in balance and from our own list, links to http(s) or to pages beside this one only, whatever the file holds."""
    page = parsed(text)

    assert page.open == []
    assert page.seen <= TAGS
    assert all(re.match(r"(?i)https?://|[\w-]+(/[\w-]+)?(#[\w-]+)?$", link) for link in page.links)


@given(st.lists(st.sampled_from(["alpha", "beta", "<i>", '"', "gamma"]), min_size=1, max_size=12))
def test_no_word_gets_lost(words: list[str]) -> None:
    """What was written can be read, in its order, in a paragraph, an item and a code block."""
    line = " ".join(words)

    for text in (line, f"- {line}", f"1. {line}", f"```\n{line}\n```", f"# {line}"):
        assert parsed(text).text.split() == words


def test_lists_nest_only_so_deep() -> None:
    """A line of a thousand markers is no thousand lists, and no error."""
    assert 1 < str(to_html("- " * 1000 + "x")).count("<ul>") < 20


def test_the_first_sentence_tells_what_a_page_is_about() -> None:
    """From below the first heading of level 2, across lines, without code marks."""
    assert first_sentence("# A\n\n## Meaning\nThe kernel killed\n`one`. And more.\n\n## Impact\nNone.") == "The kernel killed one."
    assert first_sentence("## Meaning\nIt is full: nothing fits.") == "It is full."
    assert first_sentence("## A\n\nSee [the **page**](x.md). More.") == "See the page."
    assert first_sentence("just text") == "just text"
    assert first_sentence("") == ""
