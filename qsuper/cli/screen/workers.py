"""The children, and what they do."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from qsuper.cli.drawing import size, time_of
from qsuper.cli.printing import columns, cut, printable
from qsuper.cli.screen.section import Section
from qsuper.picture import Child, Job, Picture, span
from qsuper.states import ChildState

_NAME_MOST = 18
_WIDE = 120
"""Columns from which on all is told of a worker."""
_BAR = 10
_TASK_MOST = 24
_LONG = 1.0
"""Seconds after which a job is worth a row before others."""
_HEAD = ("WORKER", ">DONE", ">FAILED", ">MEM", "DOES")
_WIDE_HEAD = ("WORKER", ">PID", ">SLICE", ">DONE", ">FAILED", ">MEM", ">RESTARTS", "DOES")


def workers(picture: Picture, width: int, *, plain: bool) -> Section:
    """A row each; where not all fit, first what does not run, then long jobs. Other children that
    are well share a row. `plain`: bars of ASCII."""
    well = [child.name for child in picture.children if not _is_shown(child)]
    shown = [child for child in picture.children if _is_shown(child)]
    wide = width >= _WIDE
    table = [_row(child, wide=wide, plain=plain) for child in shown]
    head, *lines = columns(_WIDE_HEAD if wide else _HEAD, table, width=width)
    heads = [Text(head, style="dim")]
    if well:
        heads.insert(0, Text(cut(f"{', '.join(well)}: RUNNING", width)))
    rows = [Text(line, style=_style(child)) for child, line in zip(shown, lines, strict=True)]
    return Section(
        heads,
        rows,
        least=4,
        ranks=[_rank(child) for child in shown],
        rest=lambda hidden: _rest([shown[number] for number in hidden]),
    )


def _is_shown(child: Child) -> bool:
    return child.role == "worker" or child.state != ChildState.RUNNING


def _rank(child: Child) -> int:
    # Of what is short nobody sees more than a flicker: such rows stay where they are.
    if child.state != ChildState.RUNNING:
        return 0
    return 1 if child.job is not None and child.job.seconds >= _LONG else 2


def _style(child: Child) -> str:
    if child.state in (ChildState.FATAL, ChildState.BACKOFF):
        return "red"
    return "yellow" if child.state != ChildState.RUNNING or child.trouble else ""


def _row(child: Child, *, wide: bool, plain: bool) -> tuple[object, ...]:
    counts = child.done, child.failed, size(child.memory)
    does = _does(child, plain=plain)
    if not wide:
        return cut(child.name, _NAME_MOST), *counts, does
    return child.name, child.pid, child.slice, *counts, child.restarts, does


def _does(child: Child, *, plain: bool) -> str:
    if child.job is not None and child.state != ChildState.BACKOFF:
        return _running(child.job, plain=plain)
    if child.state == ChildState.RUNNING:
        return child.phase or "-"
    when = "" if child.retry_in is None else f" in {span(child.retry_in)}"
    why = f": {child.last_exit}" if child.last_exit else ""
    return f"{child.state}{when}{why}"


def _running(job: Job, *, plain: bool) -> str:
    told = f"#{job.id} {time_of(job)} {cut(printable(job.task), _TASK_MOST)}"
    if job.progress is None:
        return told
    return (
        f"{told} {bar(job.progress, plain=plain)} {job.progress:.0%} {job.progress_text}".rstrip()
    )


def bar(part: float, *, plain: bool) -> str:
    """A bar of ten letters, of which `part` (0 to 1) is full."""
    full = int(_BAR * min(max(part, 0.0), 1.0))
    return f"[{'#' * full}{'.' * (_BAR - full)}]" if plain else "█" * full + "░" * (_BAR - full)


def _rest(children: Sequence[Child]) -> str:
    """`and 12 more workers, all idle`."""
    words = Counter(map(_word, children))
    count = len(children)
    more = f"and {count} more worker{'' if count == 1 else 's'}"
    if len(words) == 1:
        return f"{more}, {'' if count == 1 else 'all '}{next(iter(words))}"
    return f"{more}: " + ", ".join(f"{count} {word}" for word, count in words.most_common())


def _word(child: Child) -> str:
    if child.state != ChildState.RUNNING:
        return str(child.state)
    return "busy" if child.job is not None else child.phase or "idle"
