"""What a master takes over from the one before: the scoreboard's unsettled records."""

import logging
from collections.abc import Sequence
from pathlib import Path

from qsuper.errors import ScoreboardError
from qsuper.scoreboard import REASON_LEFTOVER, Record, Scoreboard

log = logging.getLogger("qsuper.master")


def open_board(path: Path) -> Scoreboard | None:
    """The predecessor's scoreboard; None when there is none, or none that can be read."""
    if not path.exists():
        return None
    try:
        return Scoreboard.open(path, write=True)
    except ScoreboardError as error:
        log.warning("starting with an empty scoreboard: %s", error)
        return None


def keep_unsettled(board: Scoreboard) -> dict[int, str]:
    """Free what needs no settling; the slots of the rest, each with the name of its queue.

    To be called when nothing of the predecessor lives any more.
    """
    names = [queue.name for queue in board.queues()]
    kept: dict[int, str] = {}
    for record in board.records():
        if record.settled or not 0 <= record.queue < len(names):
            record.used = 0
            continue
        if not record.ended:
            record.reason = record.reason or REASON_LEFTOVER
            record.ended = 1
        kept[record.slot] = names[record.queue]
    return kept


def reassign(board: Scoreboard, kept: dict[int, str], names: Sequence[str]) -> list[Record]:
    """Point kept records at their queues' new places in the table; gives the records."""
    records = []
    for slot, name in kept.items():
        record = board.record(slot)
        record.queue = names.index(name)
        records.append(record)
    return records
