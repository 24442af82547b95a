"""The screen of `status --watch`: what is on it, how it fits, and how it gets to the terminal."""

from qsuper.cli.screen.frame import frame, no_picture
from qsuper.cli.screen.painter import Painter
from qsuper.cli.screen.terminal import Terminal

__all__ = ["Painter", "Terminal", "frame", "no_picture"]
