"""The queues, their workers and what waits in them."""

from typing import Any

from qsuper.picture import Picture
from qsuper.roles.web.page import Fields
from qsuper.roles.web.site import Site
from qsuper.states import State

STATES = (State.READY, State.RUNNING, State.SCHEDULED, State.HELD, State.DEAD, State.DONE)
"""Those that have a column."""


def load(site: Site, _: Fields, __: Fields) -> dict[str, Any]:
    picture = site.picture()
    return {
        "picture": picture,
        "states": [state.word for state in STATES],
        "rates": begun(picture),
        "configured": site.config.queues,
    }


def begun(picture: Picture) -> dict[str, float]:
    """By queue: attempts a second that began in the last minute."""
    seconds = picture.minute.seconds
    waits = picture.minute.waits
    return {name: waited.count / seconds if seconds else 0.0 for name, waited in waits.items()}
