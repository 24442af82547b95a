"""How often one may be wrong."""

from qsuper.roles.web.gate.throttle import (
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


def test_time_forgives() -> None:
    throttle = Throttle()
    for _ in range(FREE + 3):
        throttle.wrong("a", 0.0)
    throttle.wrong("a", FORGET_AFTER + 1)
    assert throttle.wait("a", FORGET_AFTER + 1) == 0.0


def test_the_token_eases_and_does_not_forgive_what_others_of_its_address_did() -> None:
    throttle = Throttle()
    for _ in range(FREE + 3):
        throttle.wrong("a", 0.0)
    before = throttle.wait("a", 0.0)
    throttle.right("a")
    assert 0 < throttle.wait("a", 0.0) < before
    for _ in range(3 * FREE):
        throttle.right("a")
    assert throttle.wait("a", 0.0) == 0.0
    throttle.right("an address that was never wrong")


def test_addresses_that_are_always_new_wait_for_each_other() -> None:
    throttle = Throttle()
    for number in range(FREE_IN_ALL - 1):
        throttle.wrong(f"address {number}", 0.0)
    assert throttle.wait("a new one", 0.0) == 0.0
    for number in range(10):
        throttle.wrong(f"another {number}", 0.0)
    assert throttle.wait("a new one", 0.0) == DELAY_MOST_IN_ALL
    assert throttle.wait("a new one", DELAY_MOST_IN_ALL) == 0.0


def test_a_million_addresses_take_no_more_room_than_a_thousand() -> None:
    throttle = Throttle()
    for number in range(3 * ADDRESSES_MOST):
        throttle.wrong(f"address {number}", 0.0)
    assert len(throttle._of) == ADDRESSES_MOST
