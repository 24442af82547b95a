"""Payments: a transactional task, whose writes and whose end are one."""

from contextlib import closing

from qsuper.testing import State, drain, jobs

from shop.jobs import connect, place_order


def payments():
    with closing(connect()) as db:
        return db.execute("SELECT payment, sn FROM payments").fetchall()


def test_a_payment_is_booked_and_thanked_for(queue, mailbox, status):
    place_order("SN1", "ann@shop.example")
    queue.add("book_payment", {"payment": "P1", "sn": "SN1"})

    assert [ran.task for ran in drain(queue)] == ["book_payment", "send_mail"]
    assert status("SN1") == "paid"
    assert payments() == [("P1", "SN1")]
    assert mailbox == [("ann@shop.example", "Thank you for SN1")]


def test_a_payment_that_cannot_be_booked_leaves_nothing_behind(queue, status):
    place_order("SN1", "ann@shop.example")
    place_order("SN2", "bob@shop.example")
    queue.add("book_payment", {"payment": "P1", "sn": "SN1"})
    drain(queue)

    queue.add("book_payment", {"payment": "P1", "sn": "SN2"})
    (ran,) = drain(queue)
    assert ran.error == "IntegrityError: UNIQUE constraint failed: payments.payment"
    assert status("SN2") == "unpaid", "it was set to paid, and that was rolled back"
    assert payments() == [("P1", "SN1")]
    assert [mail.param["to"] for mail in jobs(queue, "send_mail")] == ["ann@shop.example"], (
        "bob's mail was added in the transaction, and went with it"
    )


def test_money_for_an_order_that_is_cancelled_is_not_booked(queue, qsuper_clock):
    place_order("SN1", "ann@shop.example")
    qsuper_clock.advance("30m")
    drain(queue)

    queue.add("book_payment", {"payment": "P1", "sn": "SN1"})
    (ran,) = drain(queue)
    assert ran.state is State.CANCELLED
    assert ran.error == "SN1 is no order that waits for money"
    assert payments() == []
