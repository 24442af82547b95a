"""Pieces of a page in Markdown."""

from collections.abc import Iterable, Sequence


def page(title: str, *parts: str) -> str:
    """A page, with its first line on who has written it."""
    note = "Made from the code by `scripts/reference`; a test compares."
    return "\n\n".join([f"# {title}", note, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Inline code; nothing for nothing."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
