"""The demo's verdicts: what they say of a mailbox and of a shop, and that they can say no."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from qsuper.demo import EXAMPLES, mailing, orders, programme
from qsuper.demo.mailing import verdict as mailbox
from qsuper.demo.mailing.mailing import Mailing, read
from qsuper.demo.orders import verdict as shop
from qsuper.demo.orders.scene import Scene
from qsuper.demo.patience import SIGNALS, Patience
from qsuper.demo.screen import Screen
from qsuper.demo.verdict import Line
from qsuper.errors import QsuperError, RedisError

MAILING = Mailing({"parcel": -10}, {f"parcel.{uid}@shop.example": "parcel" for uid in range(3)})
ALL_ONCE = dict.fromkeys(MAILING.expected, 1)


def job(id: int, attempt: int = 1, state: str = "done") -> dict[str, Any]:
    return {"id": id, "attempt": attempt, "state": state}


JOBS = [job(1), job(2), job(3)]


def test_a_mailbox_with_every_mail_once_is_good() -> None:
    verdict = mailbox.judge(MAILING, ALL_ONCE, JOBS, 1.5)
    assert verdict.good
    assert (verdict.sent, verdict.lost, verdict.duplicated) == (3, (), ())
    assert verdict.rate == 2.0


def test_a_mail_that_never_arrived_is_lost() -> None:
    mails = {"parcel.0@shop.example": 1, "parcel.2@shop.example": 1}
    verdict = mailbox.judge(MAILING, mails, JOBS, 1.0)
    assert not verdict.good
    assert verdict.lost == ("parcel.1@shop.example",)
    assert Line("lost", "1", "parcel.1@shop.example", good=False) in verdict.lines()


def test_a_mail_that_arrived_twice_is_duplicated_and_no_loss() -> None:
    verdict = mailbox.judge(MAILING, ALL_ONCE | {"parcel.1@shop.example": 2}, JOBS, 1.0)
    assert verdict.good
    assert verdict.duplicated == ("parcel.1@shop.example",)


def test_a_mail_that_nobody_asked_for_is_no_good() -> None:
    assert not mailbox.judge(MAILING, ALL_ONCE | {"parcel.9@shop.example": 1}, JOBS, 1.0).good


def test_a_job_that_is_not_done_is_no_good() -> None:
    verdict = mailbox.judge(MAILING, ALL_ONCE, [*JOBS, job(4, state="running")], 1.0)
    assert not verdict.good
    assert verdict.unfinished == (4,)


def test_a_job_of_two_attempts_was_retried() -> None:
    jobs = [job(1), job(2, attempt=2), job(3)]
    verdict = mailbox.judge(MAILING, ALL_ONCE, jobs, 1.0, killed=2)
    assert verdict.retried == (2,)
    assert Line("retried", "1", "job 2, whose worker was killed") in verdict.lines()


STATUSES = {"SN1": "3", "SN2": "1", "SN3": "0", "SN4": "3"}
"""Two that nobody paid, one that was paid, one whose key was deleted."""
PAID, DELETED = {"SN2"}, {"SN3"}


def expiry(id: int, ordersn: str, state: str = "done") -> dict[str, Any]:
    param = json.dumps({"key": f"{ordersn}:1", "deadline": 100.0})
    return job(id, state=state) | {"param": param, "started_at": 100.0 + id / 100}


EXPIRIES = [expiry(1, "SN1"), expiry(2, "SN2"), expiry(3, "SN4")]


def judge(statuses: dict[str, str], jobs: list[dict[str, Any]] = EXPIRIES) -> shop.Verdict:
    return shop.judge(statuses, PAID, DELETED, jobs)


def test_a_shop_whose_unpaid_orders_alone_are_cancelled_is_good() -> None:
    verdict = judge(STATUSES)
    assert verdict.good
    assert (verdict.cancelled, verdict.unpaid, verdict.wrongly) == (2, 2, ())
    assert Line("cancelled", "2", "of 2 unpaid", good=True) in verdict.lines()
    assert Line("late", "20 ms", "median from deadline to job; 30 ms at most") in verdict.lines()


def test_an_unpaid_order_that_was_not_cancelled_is_forgotten() -> None:
    verdict = judge(STATUSES | {"SN4": "0"})
    assert not verdict.good
    assert verdict.forgotten == ("SN4",)
    assert Line("cancelled", "1", "of 2 unpaid", good=False) in verdict.lines()


@pytest.mark.parametrize("touched", [{"SN2": "3"}, {"SN2": "0"}, {"SN3": "3"}])
def test_a_paid_order_or_a_deleted_key_that_was_touched_is_wrong(touched: dict[str, str]) -> None:
    verdict = judge(STATUSES | touched)
    assert not verdict.good
    assert verdict.wrongly == tuple(touched)


def test_a_key_that_became_two_jobs_is_no_good() -> None:
    verdict = judge(STATUSES, [*EXPIRIES, expiry(4, "SN1")])
    assert not verdict.good
    assert verdict.twice == ("SN1:1",)


def test_an_expiry_whose_job_is_not_done_is_no_good() -> None:
    verdict = judge(STATUSES, [*EXPIRIES, expiry(4, "SN5", state="dead")])
    assert not verdict.good
    assert verdict.unfinished == (4,)


def test_a_shop_without_orders_shows_nothing() -> None:
    assert not shop.judge({}, set(), set(), []).good


def test_the_shop_in_one_line_says_when_the_next_key_is_due() -> None:
    scene = Scene(
        total=24, created=9, pending=3, cancelled=2, paid=3, deleted=1, due_in=0.44, children=()
    )
    assert scene.line() == (
        "9 orders: 3 pending, 2 cancelled, 3 paid, 1 keys deleted; the next key is due in 0.4 s"
    )


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A screen, and acts that are over at once: all mails sent, one order forgotten."""
    good = mailbox.judge(MAILING, ALL_ONCE, JOBS, 1.0)
    bad = judge(STATUSES | {"SN1": "0"})
    monkeypatch.setattr(mailing, "play", lambda *_: good)
    monkeypatch.setattr(orders, "play", lambda *_: bad)
    return Screen(Console(highlight=False, width=120))


@pytest.fixture
def patience() -> Iterator[Patience]:
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield Patience()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_one_act_that_went_wrong_makes_the_exit_code_1(
    told: Screen, patience: Patience, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert programme.play(tmp_path, tmp_path, told, patience) == 1
    assert "of 3 mails" in (output := capsys.readouterr().out)
    assert "of 2 unpaid" in output


def test_without_a_redis_server_the_mailing_is_shown_and_one_line_says_so(
    told: Screen,
    patience: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def nowhere() -> None:
        raise RedisError("there is no valkey-server or redis-server")

    monkeypatch.setattr(programme, "find_program", nowhere)
    assert programme.play(tmp_path, tmp_path, told, patience) == 0
    output = capsys.readouterr().out
    assert "No orders: there is no valkey-server or redis-server\n" in output
    assert "unpaid" not in output


def test_the_shipped_mailing_has_hundreds_of_recipients_at_invented_addresses() -> None:
    folder = EXAMPLES / "mailing"
    assert len(read(folder)) > 1000
    text = (folder / "recipients.csv").read_text(encoding="utf-8")
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
