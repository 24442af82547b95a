"""The site: it is built without a complaint, and its pages ask no other host for anything."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.page import pages
from tests.docs.place import TOP

_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}
# Relations of a <link> that only say something; no browser fetches them.
_SAID = {"canonical", "prev", "next", "alternate"}
_ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(|@import\s+)\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


class Requests(HTMLParser):
    """The addresses that a browser would fetch for a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elsewhere: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(_FETCHED.get(tag, ""))
        if tag == "link" and given.get("rel") not in _SAID:
            address = given.get("href")
        if address and _ELSEWHERE.match(address):
            self.elsewhere.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `scripts/docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_the_site(site: Path) -> None:
    written = [page.removeprefix("docs/") for page in pages(TOP) if page.startswith("docs/")]
    missing = [name for name in written if not (site / name).with_suffix(".html").exists()]
    assert not missing


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (TOP / "README.md").read_text())
    assert links
    assert [link for link in links if "://" not in link and not (TOP / link).exists()] == []


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asked = {
        str(page.relative_to(site)): found
        for page in site.rglob("*.html")
        if (found := Requests(page.read_text()).elsewhere)
    }
    assert not asked
    styled = {
        str(sheet.relative_to(site)): found
        for sheet in site.rglob("*.css")
        if (found := _IN_STYLE.findall(sheet.read_text()))
    }
    assert not styled


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<script src="//cdn.example/x.js"></script>',
        '<img src="http://shields.example/badge.svg">',
    ],
)
def test_a_page_that_asks_another_host_is_found(html: str) -> None:
    assert Requests(html).elsewhere


def test_a_link_that_a_reader_may_follow_is_no_request() -> None:
    links = '<a href="https://example.org">x</a><link rel="canonical" href="https://example.org">'
    assert not Requests(links).elsewhere
