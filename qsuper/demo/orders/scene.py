"""One moment of the shop."""

from dataclasses import dataclass

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qsuper.demo import processes
from qsuper.picture import Child


@dataclass(frozen=True, slots=True)
class Scene:
    """What has become of the orders, and who works."""

    total: int
    """Orders that there will be."""
    created: int
    pending: int
    """Unpaid, with a key that has not expired, or whose job is under way."""
    cancelled: int
    paid: int
    deleted: int
    """Orders whose key was deleted."""
    due_in: float | None
    """Seconds until the next key expires; None when no key is armed."""
    children: tuple[Child, ...]

    def line(self) -> str:
        return (
            f"{self.created} orders: {self.pending} pending, {self.cancelled} cancelled,"
            f" {self.paid} paid, {self.deleted} keys deleted{self._due()}"
        )

    def _due(self) -> str:
        return "" if self.due_in is None else f"; the next key is due in {self.due_in:.1f} s"

    def picture(self, width: int) -> Table:
        sides = Table.grid(padding=(0, 3))
        sides.add_row(self._orders(min(40, max(12, width - 68))), processes.draw(self.children))
        return sides

    def _orders(self, width: int) -> Table:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column("ORDERS", min_width=12)
        table.add_column("", justify="right", min_width=7)
        table.add_column("", width=width)
        for name, number, style in (
            ("created", self.created, "white"),
            ("pending", self.pending, "yellow"),
            ("cancelled", self.cancelled, "red"),
            ("paid", self.paid, "green"),
            ("key deleted", self.deleted, "cyan"),
        ):
            bar = ProgressBar(
                total=self.total,
                completed=number,
                width=width,
                complete_style=style,
                finished_style=style,
            )
            table.add_row(name, str(number), bar)
        due = "-" if self.due_in is None else f"{self.due_in:.2f} s"
        table.add_row(Text("next due in", "bold"), Text(due, "bold"))
        return table
