"""The findings, for people and for machines."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import click

from qsuper.cli.doctor.finding import Finding, Level, counted
from qsuper.cli.printing import printable

Findings = Sequence[tuple[str, Sequence[Finding]]]
"""By subject."""
_COLOURS = {Level.BAD: "red", Level.WARN: "yellow", Level.NOTE: "cyan", Level.OK: "green"}
_WIDE_MOST = 100
"""Letters of a line that are still read well."""


def draw(findings: Findings, width: int) -> Iterator[str]:
    """What is to be mended first, the worst first; then the rest by subject; and how many."""
    width = min(width, _WIDE_MOST)
    wrong = sorted(
        ((one, subject) for subject, found in findings for one in found if one.level > Level.NOTE),
        key=lambda pair: -pair[0].level,
    )
    for one, subject in wrong:
        yield from _lines(one, width, f"{subject}: ")
    if wrong:
        yield ""
    for subject, found in findings:
        rest = sorted((one for one in found if one.level <= Level.NOTE), key=lambda one: -one.level)
        if rest:
            yield click.style(subject, bold=True)
        for one in rest:
            yield from _lines(one, width, "")
    yield ""
    yield summary(findings)


def summary(findings: Findings) -> str:
    """`1 bad, 2 warnings, 3 notes`."""
    counts = {level: count(findings, level) for level in Level}
    shown = [
        f"{counts[Level.BAD]} bad",
        counted(counts[Level.WARN], "warning"),
        counted(counts[Level.NOTE], "note"),
    ]
    total = sum(counts.values())
    return f"{', '.join(shown)}; {total} things were looked at"


def count(findings: Findings, level: Level) -> int:
    return sum(one.level is level for _, found in findings for one in found)


def to_plain(findings: Findings) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        **{level.word: count(findings, level) for level in reversed(Level)},
        "findings": [
            {"subject": subject, "level": one.level.word, "says": one.says, "mend": one.mend}
            for subject, found in findings
            for one in found
        ],
    }


def _lines(one: Finding, width: int, subject: str) -> Iterator[str]:
    word = one.level.word
    first = f"{word:>6}  "
    text = textwrap.wrap(
        printable(f"{subject}{one.says}"),
        width - len(first),
        break_on_hyphens=False,
    )
    shown = click.style(first, fg=_COLOURS[one.level], bold=one.level > Level.NOTE)
    for number, line in enumerate(text):
        yield f"{shown if not number else ' ' * len(first)}{line}"
    if one.mend:
        yield from textwrap.wrap(
            printable(one.mend),
            width,
            initial_indent=f"{' ' * len(first)}→ ",
            subsequent_indent=f"{' ' * len(first)}  ",
            break_on_hyphens=False,
        )
