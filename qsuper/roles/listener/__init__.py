"""The child that hears Redis: keys that expire become jobs, and calls wake workers."""

from qsuper.roles.listener.listener import Listener

__all__ = ["Listener"]
