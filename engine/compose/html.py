"""The two bodies of a mail, HTML and plain text, of what a person wrote; with sender, office and a way out in each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import css_inline
import nh3
from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from config.vocabulary import BodyFormat

_TAGS = {
    *("a", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
_LINK = re.compile(r"https?://[^\s<>\"&']+(?:&amp;[^\s<>\"&']+)*[^\s<>\"&'.,;:!?)]")

_BARE = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]")
_NAMED_LINK = re.compile(r"\[(https?://[^\]\s]{1,2000})\]\((https?://[^)\s]{1,6000})\)")


def _link_bare(state: StateCore) -> None:
    """Addresses that stand bare in Markdown can be clicked: so they are pasted by people."""
    for block in state.tokens:
        block.children = list(_with_links(block.children, state.md)) if block.children else block.children


def _with_links(tokens: Iterable[Token], markdown: MarkdownIt) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if depth or token.type != "text":
            yield token
            continue
        end = 0
        for found in _BARE.finditer(token.content):
            yield Token("text", "", 0, content=token.content[end : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": markdown.normalizeLink(found[0])})
            yield Token("text", "", 0, content=found[0])
            yield Token("link_close", "a", -1)
            end = found.end()
        yield Token("text", "", 0, content=token.content[end:])


_MARKDOWN = MarkdownIt("commonmark", {"breaks": True, "html": False}).enable(["table", "strikethrough"])
_MARKDOWN.core.ruler.push("link_bare", _link_bare)

_MARKS = re.compile(r"[\\`*_{}\[\]()#+.!|<>~&-]")

_STYLE = """
body { margin: 0; padding: 24px 12px; background: #f4f4f1; color: #1c1c1a;
  font-family: Georgia, 'Times New Roman', serif; font-size: 16px; line-height: 1.5; }
main { display: block; max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; margin: 24px 0 8px; }
p, ul, ol, blockquote, table { margin: 0 0 16px; }
blockquote { padding-left: 12px; border-left: 3px solid #c9c9c1; }
a { color: #0b5394; }
strong > a { display: inline-block; padding: 10px 20px; background: #0b5394; color: #ffffff; text-decoration: none; }
th, td { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; }
footer { display: block; max-width: 600px; margin: 0 auto; padding: 12px 24px; color: #55554f; font-size: 13px;
  overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True)
class Bodies:
    """One text in its two dresses; holes are still private characters."""

    html: str
    text: str


def render(body: str, body_format: BodyFormat, title: str, footer: tuple[str, ...]) -> Bodies:
    """Render a body and the lines of its footer. Links in bold are shown as buttons; images and scripts fall away."""
    if body_format is BodyFormat.PLAIN:
        inner, text = _dress(body), body
    else:
        inner = nh3.clean(
            _MARKDOWN.render(body), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None
        )
        text = _NAMED_LINK.sub(_say_once, get_text(inner, ParserConfig(display_links=True)).strip("\n"))
    return Bodies(_page(inner, title, footer), "\n".join([text.rstrip(), "", "-- ", *footer, ""]))


def escape(text: str) -> str:
    """A text that Markdown shows as it is."""
    return _MARKS.sub(r"\\\g<0>", text)


def _page(inner: str, title: str, footer: tuple[str, ...]) -> str:
    below = "<br>\n".join(_link(html.escape(line)) for line in footer)
    return _INLINER.inline(
        f'<!DOCTYPE html>\n<html lang="sv">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{html.escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{inner}</main>\n<footer>\n{below}\n</footer>\n</body>\n</html>\n"
    )


def _dress(body: str) -> str:
    """Plain text as HTML: paragraphs, line breaks and addresses that can be clicked."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", body) if part.strip()]
    return "".join(f"<p>{_link(html.escape(part)).replace(chr(10), '<br>' + chr(10))}</p>\n" for part in paragraphs)


def _say_once(link: re.Match[str]) -> str:
    """A link that is named by its own address is told once."""
    return link[2] if _MARKDOWN.normalizeLink(link[1]) == link[2] else link[0]


def _link(escaped: str) -> str:
    return _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escaped)
