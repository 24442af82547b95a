"""The application that misbehaves, in workers that put nothing back: the checks of it must see."""

from qsuper.roles.surroundings import Surroundings
from tests.acceptance.misbehaving_app import queue

__all__ = ["queue"]


def _leave_all_as_it_is(_self: Surroundings, _task: str, *, trusted: bool) -> str:
    return ""


setattr(Surroundings, "put_back", _leave_all_as_it_is)  # noqa: B010 - nothing that mypy allows
