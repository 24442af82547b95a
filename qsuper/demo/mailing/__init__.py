"""The first act: a mailing is sent, and a worker is killed in the middle of a job."""

from qsuper.demo.mailing.story import play

__all__ = ["play"]
