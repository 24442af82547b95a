"""The application of watched keys with a listener that does not look for what it did not hear."""

from qsuper.roles.listener.walk import Walk
from tests.acceptance.keys import watch_app

queue = watch_app.queue

setattr(Walk, "start", lambda self: None)  # noqa: B010 - mypy would not have it
