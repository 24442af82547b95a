"""The records of the dead, looked at while the settler writes them."""

from typing import cast

from qsuper.master.graves import Graves
from qsuper.scoreboard import Record


class SettledAfterTheFirstLook:
    """A record whose settler is as fast as it can be."""

    def __init__(self) -> None:
        self.looks = 0
        self.used = 1

    @property
    def settled(self) -> int:
        self.looks += 1
        return int(self.looks > 1)


def test_a_record_that_is_settled_during_a_look_is_freed_by_the_next() -> None:
    record = SettledAfterTheFirstLook()
    graves = Graves([cast(Record, record)])
    assert (graves.settle(), record.used) == (1, 1)
    assert (graves.settle(), record.used) == (0, 0)
