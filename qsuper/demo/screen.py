"""What people see of the demo: a live picture on a terminal, plain lines anywhere else."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qsuper.demo import verdict
from qsuper.demo.mailing import Mailing
from qsuper.demo.verdict import Verdict
from qsuper.picture import Child
from qsuper.states import ChildState

LEAST_WIDTH, LEAST_HEIGHT = 78, 22
"""A smaller terminal gets plain lines."""
PROGRESS_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment."""

    mailing: Mailing
    arrived: Counter[str]
    """Mails by message."""
    workers: tuple[Child, ...]


def open_screen() -> "Screen":
    """The screen that fits what standard output is."""
    console = Console(highlight=False)
    small = console.width < LEAST_WIDTH or console.height < LEAST_HEIGHT
    return Screen(console) if small or not console.is_interactive else LiveScreen(console)


class Screen:
    """Plain lines: what happens, and how far it is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def tell(self, event: str, *, good: bool = False, bad: bool = False) -> None:
        """Something has happened."""
        style = "green" if good else "bold red" if bad else ""
        self._put(Text.assemble((f"{self.elapsed:5.1f} s  ", "dim"), (event, style)))

    def show(self, scene: Scene) -> None:
        """How it stands now."""
        if self.elapsed - self._shown >= PROGRESS_EVERY:
            self._shown = self.elapsed
            done, total = scene.arrived.total(), len(scene.mailing)
            self.tell(f"{done:,} of {total:,} mails, {len(scene.workers)} workers")

    def conclude(self, found: Verdict, killed: int) -> None:
        """How it ended."""
        self._console.print()
        for name, number, remark in verdict.lines(found, killed):
            style = _style_of(name, number)
            self._console.print(
                Text.assemble((f"{name:>11}  {number:>6}", style), (f"  {remark}".rstrip(), "dim")),
                soft_wrap=True,
            )
        self._console.print()

    def _put(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


class LiveScreen(Screen):
    """One picture that changes."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._events: list[Text] = []
        self._scene: Scene | None = None
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, scene: Scene) -> None:
        self._scene = scene
        self._live.update(Group(*self._picture()), refresh=True)

    def conclude(self, found: Verdict, killed: int) -> None:
        self._live.stop()
        super().conclude(found, killed)

    def _put(self, line: Text) -> None:
        line.no_wrap, line.overflow = True, "ellipsis"
        self._events.append(line)
        self._live.update(Group(*self._picture()), refresh=True)

    def _picture(self) -> Iterator[Table | Text]:
        if (scene := self._scene) is not None:
            yield Text.assemble(
                ("qsuper demo", "bold"),
                f"   {len(scene.workers)} workers   ",
                (f"{self.elapsed:.1f} s", "dim"),
            )
            yield Text()
            sides = Table.grid(padding=(0, 3))
            sides.add_row(self._messages(scene), _workers(scene))
            yield sides
            yield Text()
        yield from self._events

    def _messages(self, scene: Scene) -> Table:
        width = min(40, max(12, self._console.width - 68))
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column("MESSAGE")
        table.add_column("PRIO", justify="right")
        table.add_column("ARRIVED", justify="right", min_width=9)
        table.add_column("", width=width)
        for message, priority in scene.mailing.priorities.items():
            done, total = scene.arrived[message], scene.mailing.sizes[message]
            bar = ProgressBar(total=total, completed=done, width=width)
            table.add_row(message, str(priority), f"{done}/{total}", bar)
        done, total = scene.arrived.total(), len(scene.mailing)
        bar = ProgressBar(total=total, completed=done, width=width)
        table.add_row("all", "", f"{done}/{total}", bar, style="bold")
        return table


def _workers(scene: Scene) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("WORKER")
    table.add_column("PID", justify="right")
    table.add_column("DONE", justify="right")
    table.add_column("DOES", width=9)
    for child in scene.workers:
        pid = Text(str(child.pid or "-"), "yellow" if child.restarts else "")
        table.add_row(child.name, pid, str(child.done), _does(child))
    return table


def _does(child: Child) -> Text:
    if child.state != ChildState.RUNNING:
        return Text(child.state, "yellow")
    return Text(f"job {child.job.id}" if child.job else child.phase or "-")


def _style_of(name: str, number: str) -> str:
    if name in ("lost", "strange", "not done"):
        return "bold green" if number == "0" else "bold red"
    return "bold"
