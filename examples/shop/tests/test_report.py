"""The report of every working day: a schedule, over a weekend and a change of the clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from qsuper.testing import Clock, drain

from shop.jobs import place_order

BERLIN = ZoneInfo("Europe/Berlin")


def test_it_is_sent_at_six_on_working_days(queue, mailbox):
    place_order("SN1", "ann@shop.example")
    friday = datetime(2031, 3, 28, 5, 59, tzinfo=BERLIN)
    clock = Clock(queue, friday)

    clock.advance("1m")
    drain(queue)
    assert mailbox == [("chief@shop.example", "1 unpaid orders")]

    mailbox.clear()
    clock.move_to(datetime(2031, 3, 31, 5, 59, tzinfo=BERLIN))
    drain(queue)
    assert mailbox == [], "no report on a weekend"

    clock.advance("1m")
    drain(queue)
    assert mailbox == [("chief@shop.example", "0 unpaid orders")], "its timer has cancelled it"
