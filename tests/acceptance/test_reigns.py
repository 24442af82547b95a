"""The checker of reigns can fail."""

from tests.acceptance.journal import BEGIN, END, Event
from tests.acceptance.reigns import gaps, overlapping_reigns, reigns_of

SIGNED = {10: "first", 11: "first", 20: "second"}


def events(*lines: tuple[int, int]) -> list[Event]:
    return [Event((BEGIN, END)[index % 2], 1, pid, at) for index, (pid, at) in enumerate(lines)]


def test_one_master_after_the_other_is_as_it_should_be() -> None:
    reigns = reigns_of(events((10, 0), (10, 5), (11, 6), (11, 9), (20, 3_000_000_009)), SIGNED)
    assert [reign.nonce for reign in reigns] == ["first", "second"]
    assert not overlapping_reigns(reigns)
    assert gaps(reigns) == [3.0]


def test_two_masters_at_work_at_one_time_are_found() -> None:
    reigns = reigns_of(events((10, 0), (20, 5), (20, 8), (11, 9)), SIGNED)
    assert overlapping_reigns(reigns) == [("first", "second")]
