"""How often one may be wrong."""

from qsuper.roles.web.throttle import (
    ADDRESSES_MOST,
    DELAY_MOST,
    DELAY_MOST_IN_ALL,
    FORGET_AFTER,
    FREE,
    FREE_IN_ALL,
    Throttle,
)


def test_the_first_mistakes_cost_nothing_and_then_each_costs_more() -> None:
    throttle, now, waits = Throttle(), 0.0, []
    for _ in range(FREE + 8):
        throttle.wrong("a", now)
        waits.append(throttle.wait("a", now))
        now += waits[-1]
    assert waits[: FREE - 1] == [0.0] * (FREE - 1)
    assert waits == sorted(waits)
    assert waits[-1] == DELAY_MOST


def test_waiting_is_enough() -> None:
    throttle = Throttle()
    for _ in range(FREE + 3):
        throttle.wrong("a", 0.0)
    assert 0 < throttle.wait("a", 0.0) <= DELAY_MOST
    assert throttle.wait("a", DELAY_MOST) == 0.0


def test_the_token_forgives_and_so_does_time() -> None:
    throttle = Throttle()
    for _ in range(FREE + 3):
        throttle.wrong("a", 0.0)
        throttle.wrong("b", 0.0)
    throttle.right("a")
    assert throttle.wait("a", 0.0) == 0.0
    throttle.wrong("b", FORGET_AFTER + 1)
    assert throttle.wait("b", FORGET_AFTER + 1) == 0.0


def test_many_who_are_wrong_wait_for_each_other_and_who_is_not_does_not() -> None:
    throttle = Throttle()
    for number in range(FREE_IN_ALL + 10):
        throttle.wrong(f"address {number}", 0.0)
    assert throttle.wait("address 1", 0.0) == DELAY_MOST_IN_ALL
    assert throttle.wait("somebody else", 0.0) == 0.0


def test_a_million_addresses_take_no_more_room_than_a_thousand() -> None:
    throttle = Throttle()
    for number in range(3 * ADDRESSES_MOST):
        throttle.wrong(f"address {number}", 0.0)
    assert len(throttle._of) == ADDRESSES_MOST
