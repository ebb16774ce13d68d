"""Whoever cannot see the page, or uses no mouse, finds the same on it: names, headings, languages."""

from __future__ import annotations

from html.parser import HTMLParser

from admin_api.pages.page import Access
from admin_api.pages.table import PAGES
from engine.return_path import Purpose
from tests.api.world import World
from tests.pages.visitor import visitor

_UNSEEN = ("hidden", "submit", "radio", "checkbox")


class _Page(HTMLParser):
    """What a screen reader needs of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.language = ""
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.pictures: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "h1":
                self.headings += 1
            case "html":
                self.language = given.get("lang", "")
            case "label":
                self.labelled.add(given.get("for", ""))
            case "img" | "iframe":
                self.pictures.append(given)
            case "input" | "select" | "textarea" if given.get("type") not in _UNSEEN:
                self.fields.append(given)

    def faults(self) -> list[str]:
        unnamed = [one for one in self.fields if not (one.get("id") in self.labelled or one.get("aria-label"))]
        unsaid = [one for one in self.pictures if "alt" not in one and not one.get("title")]
        said = [] if self.headings == 1 and self.language else [f"h1 {self.headings}, lang {self.language!r}"]
        return [str(one) for one in (*unnamed, *unsaid, *said)]


async def test_every_page_has_one_heading_and_every_field_and_picture_a_name(world: World) -> None:
    club, operator = await world.club("Sjövik"), await world.operator()
    numbers = {**club.numbers(), "slug": club.slug, "report_id": 1}
    paths = [page.path for page in PAGES if page.method == "GET" and page.access is not Access.LINK]
    filled = [path.replace(":number", "").replace(":slug", "").format(**numbers) for path in paths]
    links = [world.link(Purpose.CONFIRM, club.request_id), world.link(Purpose.UNSUBSCRIBE, club.message_id)]
    async with visitor(world, operator) as one:
        seen = [await one.browser.get(path, follow_redirects=True) for path in (*filled, *links)]
    pages = [
        page for page in seen if page.headers["Content-Type"].startswith("text/html") and "/brev/" not in page.url.path
    ]
    assert len(pages) > 20
    assert {page.url.path: faults for page in pages if (faults := _Page(page.text).faults())} == {}
