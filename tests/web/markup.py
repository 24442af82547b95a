"""What of a page a browser would obey, and should not find there."""

from collections.abc import Iterator
from html.parser import HTMLParser

# All that a stranger might write into a row, in one text.
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)><svg/onload=alert(1)>"
    "</textarea></title></pre></option>{{7*191}}{% raw %}<a href='javascript:alert(1)'>"
    "<!--&lt;b&gt;-->\x1b[31m\u202e\u2028"
)
_TAGS = frozenset(("iframe", "object", "embed", "base", "img", "math", "template"))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _TAGS:
            self.faults.append(f"<{tag}>")
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.faults.append("a script in the page")
        if tag == "style" or "style" in given:
            self.faults.append("a style in the page")
        for name, value in attrs:
            if name.startswith("on"):
                self.faults.append(f"{tag} {name}")
            if (value or "").strip().lower().startswith(("javascript:", "data:text")):
                self.faults.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment: {data[:40]}")

    def handle_data(self, data: str) -> None:
        if "1337" in data:
            self.faults.append("what was written in a row was computed")
        if any(sign in data for sign in "\x1b\u202e\u2028"):
            self.faults.append("a control character as it is")


def faults(page: str) -> Iterator[str]:
    """What is wrong with it."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    yield from parser.faults
