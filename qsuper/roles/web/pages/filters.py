"""From the fields of an address to what they choose."""

from datetime import UTC, datetime
from typing import Any

from qsuper.config import kinds
from qsuper.roles.web.fields import BadField
from qsuper.roles.web.page import Fields
from qsuper.states import State
from qsuper.store.browsing import Browse

NAMES = ("state", "queue", "task", "name", "text", "error", "since", "until")


def browse(query: Fields, now: float) -> Browse:
    """What is to be seen; raises `BadField` for what cannot be read."""
    given = {name: query.get(name, "").strip() or None for name in NAMES}
    chosen: dict[str, Any] = dict(given)
    chosen["state"] = None if given["state"] is None else state(given["state"])
    for name in ("since", "until"):
        text = given[name]
        chosen[name] = None if text is None else moment(text, now)
    return Browse(**chosen)


def state(word: str) -> State:
    try:
        return State[word.upper()]
    except KeyError:
        known = ", ".join(one.word for one in State)
        raise BadField(f"{word!r:.40} is no state: choose one of {known}") from None


def an_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadField(f"{text!r:.40} is no id: an id is a whole number")
    return int(text)


def moment(text: str, now: float) -> float:
    """Unix time out of `2h` (so long ago), `2026-11-20` or `2026-11-20 10:00` (UTC)."""
    try:
        if "-" in text:
            read = datetime.fromisoformat(text)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        return now - float(str(kinds.read_duration(text)))
    except (ValueError, OverflowError):
        raise BadField(
            f"{text!r:.40} is no moment: write 2h or 3d (ago), 2026-11-20 or 2026-11-20 10:00 (UTC)"
        ) from None
