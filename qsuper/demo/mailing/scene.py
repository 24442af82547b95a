"""One moment of the mailing."""

from collections import Counter
from dataclasses import dataclass

from rich.progress_bar import ProgressBar
from rich.table import Table

from qsuper.demo import processes
from qsuper.demo.mailing.mailing import Mailing
from qsuper.picture import Child


@dataclass(frozen=True, slots=True)
class Scene:
    """What has arrived, and who works."""

    mailing: Mailing
    arrived: Counter[str]
    """Mails by message."""
    workers: tuple[Child, ...]

    def line(self) -> str:
        done, total = self.arrived.total(), len(self.mailing)
        return f"{done:,} of {total:,} mails, {len(self.workers)} workers"

    def picture(self, width: int) -> Table:
        sides = Table.grid(padding=(0, 3))
        sides.add_row(self._messages(min(40, max(12, width - 68))), processes.draw(self.workers))
        return sides

    def _messages(self, width: int) -> Table:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column("MESSAGE")
        table.add_column("PRIO", justify="right")
        table.add_column("ARRIVED", justify="right", min_width=9)
        table.add_column("", width=width)
        for message, priority in self.mailing.priorities.items():
            done, total = self.arrived[message], self.mailing.sizes[message]
            bar = ProgressBar(total=total, completed=done, width=width)
            table.add_row(message, str(priority), f"{done}/{total}", bar)
        done, total = self.arrived.total(), len(self.mailing)
        bar = ProgressBar(total=total, completed=done, width=width)
        table.add_row("all", "", f"{done}/{total}", bar, style="bold")
        return table
