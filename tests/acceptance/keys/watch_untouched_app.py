"""The application of watched keys with a listener that touches no key that is due."""

from qsuper.roles.listener.calendar import Calendar
from tests.acceptance.keys import watch_app

queue = watch_app.queue

setattr(Calendar, "take", lambda self, now, most: [])  # noqa: B010 - mypy would not have it
