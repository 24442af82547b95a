"""Orders that nobody pays: a timer of 30 minutes, tested in no time."""

import sqlite3
from datetime import timedelta

import pytest
from qsuper.testing import drain, jobs

from shop.jobs import place_order


def test_an_order_that_is_not_paid_within_30_minutes_is_cancelled(queue, qsuper_clock, status):
    place_order("SN1", "ann@shop.example")

    qsuper_clock.advance("29m")
    drain(queue)
    assert status("SN1") == "unpaid"

    qsuper_clock.advance("1m")
    drain(queue)
    assert status("SN1") == "cancelled"


def test_an_order_that_is_paid_in_time_stays(queue, qsuper_clock, status):
    place_order("SN1", "ann@shop.example")
    queue.add("book_payment", {"payment": "P1", "sn": "SN1"})
    drain(queue)

    qsuper_clock.advance(timedelta(hours=1))
    assert [job.task for job in drain(queue)] == ["cancel_unpaid"]
    assert status("SN1") == "paid"


def test_an_order_that_could_not_be_written_has_no_timer(queue):
    place_order("SN1", "ann@shop.example")
    with pytest.raises(sqlite3.IntegrityError):
        place_order("SN1", "bob@shop.example")

    (timer,) = jobs(queue, "cancel_unpaid")
    assert timer.name == "order:SN1"
    assert timer.param == {"sn": "SN1"}
