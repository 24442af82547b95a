"""What `qsuper db adopt` tells: what it found, what it will do, what is to be done next."""

import json
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from qsuper.cli.printing import cut, printable
from qsuper.config import kinds

if TYPE_CHECKING:
    from qsuper.store.adopting import Adoption

ROWS_PER_SECOND = 20_000
"""What a small server copies at least (measured: 60,000)."""
WIDTH = 110
SHOWN = 3
SCRIPTS_MOST = 20
_MEGABYTE = 1_000_000
_STATUSES = {0: "waiting", 1: "done"}

_PHP = re.compile(r'(?:a:\d+:\{.*\}|s:\d+:".*";|[ib]:-?\d+;|d:[^;]+;|N;)', re.DOTALL)
_QUERY = re.compile(r"[^=&\s]+=[^=\s]*(?:&[^=&\s]+=[^=\s]*)*&?")
_INTERPRETERS = {".php": ["php"], ".sh": ["sh"], ".py": ["python3"]}


def guess(sample: tuple[str, ...]) -> str:
    """The codec in which most of these params are written; `raw` where none fits."""
    counts = Counter(map(_codec_of, sample))
    return counts.most_common(1)[0][0] if counts else "raw"


def _codec_of(param: str) -> str:
    if _PHP.fullmatch(param):
        return "php"
    if param[:1] in "{[":
        try:
            json.loads(param)
        except (ValueError, RecursionError):
            return "raw"
        return "json"
    return "query" if _QUERY.fullmatch(param) else "raw"


def found(adoption: "Adoption", keep_done: int) -> list[str]:
    """The old table, a sample of its params, and what is to be known about its rows."""
    old = adoption.old
    columns = ", ".join(f"{column.name} {column.type}" for column in old.columns.values())
    lines = [
        f"the old table `queue`: {old.engine}, {old.rows:,} rows, {old.size / _MEGABYTE:,.1f} MB",
        f"  columns: {columns}",
    ]
    for status, count in sorted(old.statuses.items(), key=str):
        word = "" if status is None else _STATUSES.get(status, "")
        lines.append(
            f"  {count:,} {word}"
            if word
            else f"  {count:,} of status {status}: they become dead, so that nobody runs them"
            " unasked; `qsuper retry` does"
        )
    if old.statuses.get(1):
        lines.append(
            f"  done rows older than {keep_done} days (job.keep_days.done) are pruned by the"
            " daemon, as all are; the backup keeps them"
        )
    if old.extra:
        lines.append(f"  columns that qsuper does not know are kept: {', '.join(old.extra)}")
    if old.indexes:
        names = ", ".join(sorted(index.name for index in old.indexes))
        lines.append(f"  its indexes are not kept, qsuper has its own: {names}")
    if adoption.begun:
        lines.append("an adoption was begun and cut off here: this one goes on where it ended")
    if old.sample:
        lines.append(f"params of its newest rows, which look like {guess(old.sample)}:")
        lines += [f"  {cut(printable(param), WIDTH)}" for param in old.sample[:SHOWN]]
    return lines


def plan(adoption: "Adoption", *, larger_first: bool) -> list[str]:
    """What will be done, statement by statement, how long it takes, what changes for writers."""
    old = adoption.old
    statements = adoption.statements(larger_first=larger_first)
    seconds = max(1, round(old.rows / ROWS_PER_SECOND))
    lines = [
        "what will be done:",
        *(f"  {number}. {text}" for number, text in enumerate(statements, 1)),
        f"it takes about {seconds:,} s and {old.size / _MEGABYTE:,.1f} MB more. Rows are copied in"
        " small steps and no table is locked",
        "meanwhile: writers wait for the RENAME only, and never find the table missing. Cut off"
        " anywhere, run it again.",
        "INSERT INTO queue (taskphp, param) goes on working: `task` is what `taskphp` says.",
    ]
    lines += [
        f"BEWARE: the index {index.name} on ({index.columns}) is UNIQUE and is not kept: from then"
        " on INSERT IGNORE, REPLACE and ON DUPLICATE KEY UPDATE write doubles, and each one runs."
        " Where that matters, let the writers give a `name` (docs/adopting.md)"
        for index in old.indexes
        if index.forbids_doubles
    ]
    if adoption.switched:
        return lines
    if larger_first:
        lines.append(
            "INSERTs with taskphp and priority go on meaning the same: a trigger turns the sign,"
            " for qsuper takes smaller first."
        )
    elif old.has_priority:
        lines.append(
            "priorities stay as they are: smaller first"
            " (for old readers that take the larger first: --priority larger-first)."
        )
    if "mtime" in old.columns:
        lines.append(
            "INSERTs that name mtime must write a date: a Unix time is refused by a strict server,"
            " and no date to others."
        )
    if old.columns["param"].charset not in ("utf8", "utf8mb3", "utf8mb4"):
        lines.append(
            f"param is {old.columns['param'].charset or 'bytes'}: UTF-8 that PHP has put into it is"
            " kept; writers must SET NAMES utf8mb4 from now on, or new params arrive garbled."
        )
    return lines


def ended(adoption: "Adoption", codec: str) -> list[str]:
    """The tables for `qsuper.toml`, and where the old rows are."""
    scripts = [name for name, _ in adoption.old.scripts]
    tasks = [name for name in scripts[:SCRIPTS_MOST] if _is_task(name)]
    others = [name for name in scripts[:SCRIPTS_MOST] if name not in tasks]
    lines = ["", "# for qsuper.toml, where its cwd is the folder of the programs:"]
    for name in tasks:
        program = [*_INTERPRETERS.get(PurePosixPath(name).suffix, ["php"]), name]
        lines += [
            f"[tasks.{_toml(name)}]",
            f"program = [{', '.join(map(_toml, program))}]",
            f'codec = "{codec}"',
            "",
        ]
    lines += [
        "# or all programs of a folder at once, these and others:",
        "# [scripts]",
        '# dir = "."',
        '# interpreters = { ".php" = ["php"] }',
        f'# codec = "{codec}"',
        "",
    ]
    if others:
        lines.append(f"only [scripts] runs these: {', '.join(map(printable, others))}")
    lines.append("the old table is kept as queue_before_qsuper; drop it when you trust the new one")
    return lines


def _is_task(name: str) -> bool:
    """Whether it may be a task's name, and no interpreter takes it for an option."""
    try:
        msgspec.convert(name, kinds.TaskName)
    except msgspec.ValidationError:
        return False
    return not name.startswith("-")


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
