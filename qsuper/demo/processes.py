"""The table of a daemon's processes."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from qsuper.picture import Child
from qsuper.states import ChildState


def draw(children: Iterable[Child]) -> Table:
    """One row each; yellow is the number of a process that took another one's place."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("PROCESS", min_width=10)
    table.add_column("PID", justify="right", min_width=6)
    table.add_column("DONE", justify="right")
    table.add_column("DOES", width=9)
    for child in children:
        pid = Text(str(child.pid or "-"), "yellow" if child.restarts else "")
        done = str(child.done) if child.done or child.queue else ""
        table.add_row(child.name, pid, done, _does(child))
    return table


def _does(child: Child) -> Text:
    if child.state != ChildState.RUNNING:
        return Text(child.state, "yellow")
    return Text(f"job {child.job.id}" if child.job else child.phase or "-")
