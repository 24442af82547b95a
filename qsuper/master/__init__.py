"""The parent process: forks the children, watches them, and restarts what ends."""

from qsuper.master.master import Master

__all__ = ["Master"]
