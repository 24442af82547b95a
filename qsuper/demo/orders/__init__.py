"""The second act: who does not pay in time is cancelled, and the listener is killed meanwhile."""

from qsuper.demo.orders.story import play

__all__ = ["play"]
