"""Jobs with a text in them: no index knows it, so that each look goes only so far."""

from dataclasses import asdict, dataclass
from typing import Any

from qsuper.cli.settings import connected
from qsuper.store import browsing, listing
from qsuper.store.database import Database
from qsuper.store.selection import Selection


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look came to."""

    jobs: list[dict[str, Any]]
    """As `listing.jobs` has them, the newest first."""
    looked: int
    """Jobs that were looked at."""
    before: int | None
    """Where the next look begins; None where all were looked at."""


def search(
    database: Database, selection: Selection, text: str, *, before: int | None, most: int
) -> Finding:
    """Those selected that have the text in their param or in their last error."""
    wanted = browsing.Browse(**asdict(selection), text=text)
    ids: list[int] = []
    looked = 0
    with connected(database) as connection:
        while True:
            page = browsing.page(connection, wanted, before)
            ids += [row.id for row in page.rows]
            looked += page.looked
            before = page.before
            if before is None or page.cut or len(ids) >= most:
                break
    if len(ids) > most:
        before = ids[most - 1]
    jobs = listing.some(database, ids[:most]) if ids else []
    return Finding(jobs[::-1], looked, before)
