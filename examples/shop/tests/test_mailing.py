"""Mails: what a job does, what becomes of it when it fails, and when it is tried again."""

import smtplib

import pytest
from qsuper.testing import State, drain, inline, jobs

from shop import mail
from shop.jobs import send_mail


def test_a_task_is_a_function_that_can_be_called(mailbox):
    send_mail("ann@shop.example", "Hello")

    assert mailbox == [("ann@shop.example", "Hello")]


def test_a_job_runs_as_soon_as_it_is_added(queue, mailbox):
    with inline(queue):
        send_mail.add(to="ann@shop.example", subject="Hello")

    assert mailbox == [("ann@shop.example", "Hello")]


def test_what_its_code_raises_comes_out_of_add(queue, monkeypatch):
    monkeypatch.setattr(mail, "deliver", mail_server_is_down)

    with inline(queue), pytest.raises(smtplib.SMTPException, match="down"):
        send_mail.add(to="ann@shop.example", subject="Hello")


def test_a_mail_is_tried_again_when_the_server_is_back(queue, qsuper_clock, mailbox, monkeypatch):
    send_mail.add(to="ann@shop.example", subject="Hello")

    with monkeypatch.context() as outage:
        outage.setattr(mail, "deliver", mail_server_is_down)
        (attempt,) = drain(queue)
    assert attempt.error == "SMTPException: the server is down"
    assert attempt.state is State.SCHEDULED

    assert drain(queue) == [], "the second attempt has to wait"
    qsuper_clock.advance("10m")
    assert [one.state for one in drain(queue)] == [State.DONE]
    assert mailbox == [("ann@shop.example", "Hello")]


def test_after_three_attempts_it_is_dead_and_says_why(queue, qsuper_clock, monkeypatch):
    monkeypatch.setattr(mail, "deliver", mail_server_is_down)
    job = send_mail.add(to="ann@shop.example", subject="Hello")

    for _ in range(3):
        drain(queue)
        qsuper_clock.advance("1h")

    assert job.state is State.DEAD
    assert [dead.error for dead in jobs(queue, state=State.DEAD)] == [
        "SMTPException: the server is down"
    ]


def test_an_address_that_is_none_is_not_tried_twice(queue, monkeypatch):
    monkeypatch.undo()  # the real `deliver`: it looks at the address first
    send_mail.add(to="ann", subject="Hello")

    (attempt,) = drain(queue)
    assert attempt.state is State.DEAD
    assert isinstance(attempt.cause, mail.BadAddress)


def mail_server_is_down(to, subject):
    raise smtplib.SMTPException("the server is down")
