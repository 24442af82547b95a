"""The demo's verdict: what it says of a mailbox, and that it can say no."""

from pathlib import Path
from typing import Any

import pytest

from qsuper.demo import EXAMPLE
from qsuper.demo.mailing import Mailing, read
from qsuper.demo.verdict import judge, lines
from qsuper.errors import QsuperError

MAILING = Mailing({"parcel": -10}, {f"parcel.{uid}@shop.example": "parcel" for uid in range(3)})
ALL_ONCE = dict.fromkeys(MAILING.expected, 1)


def job(id: int, attempt: int = 1, state: str = "done") -> dict[str, Any]:
    return {"id": id, "attempt": attempt, "state": state}


JOBS = [job(1), job(2), job(3)]


def test_a_mailbox_with_every_mail_once_is_good() -> None:
    verdict = judge(MAILING, ALL_ONCE, JOBS, 1.5)
    assert verdict.good
    assert (verdict.sent, verdict.lost, verdict.duplicated) == (3, (), ())
    assert verdict.rate == 2.0


def test_a_mail_that_never_arrived_is_lost() -> None:
    verdict = judge(MAILING, {"parcel.0@shop.example": 1, "parcel.2@shop.example": 1}, JOBS, 1.0)
    assert not verdict.good
    assert verdict.lost == ("parcel.1@shop.example",)


def test_a_mail_that_arrived_twice_is_duplicated_and_no_loss() -> None:
    verdict = judge(MAILING, ALL_ONCE | {"parcel.1@shop.example": 2}, JOBS, 1.0)
    assert verdict.good
    assert verdict.duplicated == ("parcel.1@shop.example",)


def test_a_mail_that_nobody_asked_for_is_no_good() -> None:
    assert not judge(MAILING, ALL_ONCE | {"parcel.9@shop.example": 1}, JOBS, 1.0).good


def test_a_job_that_is_not_done_is_no_good() -> None:
    verdict = judge(MAILING, ALL_ONCE, [*JOBS, job(4, state="running")], 1.0)
    assert not verdict.good
    assert verdict.unfinished == (4,)


def test_a_job_of_two_attempts_was_retried() -> None:
    verdict = judge(MAILING, ALL_ONCE, [job(1), job(2, attempt=2), job(3)], 1.0)
    assert verdict.retried == (2,)
    assert ("retried", "1", "job 2, whose worker was killed") in lines(verdict, killed=2)


def test_the_shipped_mailing_has_hundreds_of_recipients_at_invented_addresses() -> None:
    assert len(read(EXAMPLE)) > 1000
    text = (EXAMPLE / "recipients.csv").read_text(encoding="utf-8")
    addresses = [word for word in text.replace(",", " ").split() if "@" in word]
    assert len(addresses) == 300
    assert all(address.endswith(".example") for address in addresses)


@pytest.mark.parametrize(
    ("recipients", "messages"),
    [
        ("a,b\n1,2\n", '[{"id": "m"}]'),
        ("uid,name,email,lists\n", "{"),
        ("uid,name,email,lists\n", "[]"),
        ("uid,name,email,lists\n1,A,a@b.example,x\n", '{"id": 1}'),
    ],
)
def test_a_folder_that_holds_no_mailing_is_refused_in_one_line(
    tmp_path: Path, recipients: str, messages: str
) -> None:
    (tmp_path / "recipients.csv").write_text(recipients)
    (tmp_path / "messages.json").write_text(messages)
    with pytest.raises(QsuperError) as refusal:
        read(tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QsuperError, match=r"cannot read .*recipients\.csv"):
        read(tmp_path)
