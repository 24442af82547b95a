"""What people see of the demo: a live picture on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from qsuper.demo.verdict import Line, Verdict

LEAST_WIDTH, LEAST_HEIGHT = 78, 22
"""A smaller terminal gets plain lines."""
PROGRESS_EVERY = 1.0


class Scene(Protocol):
    """One moment of an act."""

    def line(self) -> str:
        """In one line."""

    def picture(self, width: int) -> RenderableType:
        """In the upper half of a terminal that is so wide."""


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

    def begin(self, title: str) -> None:
        """An act begins."""
        self._shown = self.elapsed
        self._console.print()
        self._console.print(Text(title, "bold"), soft_wrap=True)

    def tell(self, event: str, *, good: bool = False, bad: bool = False) -> None:
        """Something has happened."""
        style = "green" if good else "bold red" if bad else ""
        self._put(Text.assemble((f"{self.elapsed:5.1f} s  ", "dim"), (event, style)))

    def show(self, scene: Scene) -> None:
        """How it stands now."""
        if self.elapsed - self._shown >= PROGRESS_EVERY:
            self._shown = self.elapsed
            self.tell(scene.line())

    def conclude(self, verdicts: Iterable[Verdict]) -> None:
        """How it ended."""
        for verdict in verdicts:
            self._console.print()
            for line in verdict.lines():
                self._console.print(_worded(line), soft_wrap=True)
        self._console.print()

    def _put(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


class LiveScreen(Screen):
    """One picture for each act, which changes, and stays above the next."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._title = ""
        self._events: list[Text] = []
        self._scene: Scene | None = None
        self._live: Live | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def begin(self, title: str) -> None:
        self._end()
        self._console.print()
        self._title, self._events, self._scene = title, [], None
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()
        self._draw()

    def show(self, scene: Scene) -> None:
        self._scene = scene
        self._draw()

    def conclude(self, verdicts: Iterable[Verdict]) -> None:
        self._end()
        super().conclude(verdicts)

    def _put(self, line: Text) -> None:
        line.no_wrap, line.overflow = True, "ellipsis"
        self._events.append(line)
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(Group(*self._picture()), refresh=True)

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self) -> Iterator[RenderableType]:
        yield Text.assemble((self._title, "bold"), (f"   {self.elapsed:.1f} s", "dim"))
        yield Text()
        if self._scene is not None:
            yield self._scene.picture(self._console.width)
            yield Text()
        yield from self._events


def _worded(line: Line) -> Text:
    style = {None: "bold", True: "bold green", False: "bold red"}[line.good]
    return Text.assemble(
        (f"{line.name:>11}  {line.number:>6}", style), (f"  {line.remark}".rstrip(), "dim")
    )
