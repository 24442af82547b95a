"""The child that tells: a real command, a real web server, a scoreboard as others leave it."""

import json
import ssl
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from qsuper import processes
from qsuper.roles.alerts import outbox as outboxes
from qsuper.roles.alerts import ticks
from qsuper.roles.role import DRAIN
from qsuper.scoreboard import OUTCOMES, clock
from tests.roles.alert_desk import Desk
from tests.servers.program import find_program
from tests.servers.webhook import Webhook
from tests.wait import wait_for

WRITES = """#!/bin/sh
cat >> "$(dirname "$0")/told"
env > "$(dirname "$0")/environ"
"""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(**limits: Any) -> Desk:
        desks.append(Desk(tmp_path, **limits))
        return desks[-1]

    yield make
    for one in desks:
        one.close()


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """A program of this text."""

    def make(text: str = WRITES) -> tuple[str, ...]:
        program = tmp_path / "page-me"
        program.write_text(text)
        program.chmod(0o755)
        return ("./page-me", "with spaces; $(touch never)")

    return make


def told(folder: Path) -> list[dict[str, Any]]:
    """What the command was given, as far as it is whole lines."""
    path = folder / "told"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def states(folder: Path) -> list[tuple[str, str]]:
    return [(one["kind"], one["state"]) for one in told(folder)]


def test_command_and_webhook_are_told_the_beginning_and_the_end(
    desk: Callable[..., Desk],
    command: Callable[..., Sequence[str]],
    webhook: Webhook,
    tmp_path: Path,
) -> None:
    here = desk(command=command(), webhook=webhook.url, oldest_ready=300.0)
    here.depth(1.0)
    here.turn()
    here.depth(400.0)
    here.until(lambda: states(tmp_path) and webhook.asked, "both are told")
    here.depth(1.0)
    both = [("oldest_ready", "begun"), ("oldest_ready", "over")]
    here.until(lambda: states(tmp_path) == webhook.taken == both, "both are told its end")
    begun, over = told(tmp_path)
    assert set(begun) == {"qsuper", "node", "kind", "about", "state", "text", "since", "at"}
    assert (begun["node"], begun["about"]) == ("shop-1", "default")
    assert begun["text"] == "the oldest ready job of queue default has waited for 6m 40s"
    assert begun["at"] - begun["since"] == pytest.approx(400, abs=5)
    assert over["since"] == begun["since"]
    assert over["text"].startswith("over after ")
    path, headers, body = webhook.asked[0]
    assert (path, headers["Content-Type"]) == ("/hook?key=secret", "application/json")
    assert body == begun
    assert not (tmp_path / "never").exists()


def test_every_kind_is_told(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), oldest_ready=300.0, cron_tick=50.0)
    here.turn()
    here.depth(400.0)
    here.node.children[0]["state"] = "FATAL"
    here.node.child("keeper").complain("no answer", "database")
    here.node.child("listener").complain("no pong", "redis")
    meter = here.node.board.meter(here.worker.slot)
    for _ in range(3):
        meter.ended("send_msg", OUTCOMES.index("dead"), 0.1, 0.1)
    meter.count("missed", 2)
    kinds = {"oldest_ready", "fatal", "database", "redis", "dead", "missed", "cron_tick"}
    here.until(lambda: {one["kind"] for one in told(tmp_path)} == kinds, "all are told")
    texts = {one["kind"]: one["text"] for one in told(tmp_path)}
    assert texts["dead"] == "3 jobs have died within 10m; `qsuper jobs --state dead` lists them"
    assert texts["missed"].startswith("2 due times of schedules made no job")
    assert texts["fatal"] == "default[0] is FATAL"
    assert texts["redis"] == "Redis is away, says listener: no pong"
    assert texts["database"] == "the database is away, says keeper: no answer"
    assert texts["cron_tick"].startswith("no `qsuper cron tick` has come for 1m 4")
    ticks.note(tmp_path / "var")
    here.until(lambda: ("cron_tick", "over") in states(tmp_path), "the tick came")


def test_nothing_is_told_when_all_is_well(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), cron_tick=500.0)
    ends = time.monotonic() + 3

    def past() -> bool:
        here.depth(299.0)
        return time.monotonic() > ends

    meter = here.node.board.meter(here.worker.slot)
    for _ in range(2):
        meter.ended("send_msg", OUTCOMES.index("dead"), 0.1, 0.1)
    here.until(past, "time goes by")
    assert told(tmp_path) == []
    assert (tmp_path / "var" / "alerts.json").exists(), "it was at work"


def test_what_was_told_is_not_told_again_by_the_next_process(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), oldest_ready=300.0, quiet=3.0)
    here.depth(400.0)
    here.until(lambda: states(tmp_path) and here.noted(), "it is told")
    for _ in range(3):
        here.close()
        here.alerts = here.open()
        here.turn()
        here.turn()
    here.depth(1.0)
    here.until(lambda: len(states(tmp_path)) > 1, "it is over")
    assert states(tmp_path) == [("oldest_ready", "begun"), ("oldest_ready", "over")]


def test_what_was_not_delivered_is_delivered_by_the_next_process(
    desk: Callable[..., Desk], webhook: Webhook
) -> None:
    webhook.hold.clear()
    here = desk(webhook=webhook.url, oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: webhook.asked, "it is asked")
    here.close()
    webhook.hold.set()
    webhook.asked.clear()
    here.alerts = here.open()
    here.until(lambda: webhook.asked, "it is asked again")
    assert webhook.taken == [("oldest_ready", "begun")]


def test_a_webhook_that_fails_is_tried_again_until_it_takes_it_and_status_says_so(
    desk: Callable[..., Desk], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "REST_MOST", 0.2)
    webhook.status = 503
    here = desk(webhook=webhook.url, oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: len(webhook.asked) >= 3, "it is asked again and again")
    here.turn()
    assert here.alerts.complaint == (
        "alerts do not get through to the webhook (1 wait): it answered 503 Service Unavailable"
    )
    webhook.status = 204
    here.until(lambda: not here.alerts.complaint, "it takes it")
    asked = len(webhook.asked)
    here.turn()
    assert len(webhook.asked) == asked
    assert set(webhook.taken) == {("oldest_ready", "begun")}


def test_a_redirect_is_not_followed(desk: Callable[..., Desk], webhook: Webhook) -> None:
    webhook.status, webhook.headers = 302, {"Location": "/elsewhere"}
    here = desk(webhook=webhook.url, oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: "it answered 302" in here.alerts.complaint, "it is refused")
    assert {path for path, _, _ in webhook.asked} == {"/hook?key=secret"}


def test_a_proxy_of_the_environment_is_not_asked(
    desk: Callable[..., Desk], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    here = desk(webhook=webhook.url, oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: webhook.asked, "it is asked")


@pytest.mark.parametrize("trusted", [False, True], ids=["unknown", "trusted"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    trusted: bool,
    desk: Callable[..., Desk],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [find_program("openssl"), *words, *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Webhook(context)
    request.addfinalizer(server.close)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    here = desk(webhook=server.url.replace("127.0.0.1", "localhost"), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: server.asked or here.alerts.complaint, "it is told, or refused")
    assert bool(server.asked) == trusted
    assert ("CERTIFICATE_VERIFY_FAILED" in here.alerts.complaint) == (not trusted)


def test_a_webhook_that_hangs_holds_up_nothing_and_is_given_up(
    desk: Callable[..., Desk],
    command: Callable[..., Sequence[str]],
    webhook: Webhook,
    tmp_path: Path,
) -> None:
    webhook.hold.clear()
    here = desk(command=command(), webhook=webhook.url, oldest_ready=300.0, timeout=1.0)
    here.depth(400.0)
    here.until(lambda: webhook.asked and states(tmp_path), "the command is told meanwhile")
    here.until(lambda: here.alerts.complaint, "it is given up")
    assert "webhook" in here.alerts.complaint


def test_a_command_that_hangs_is_ended_with_its_children(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    hangs = '#!/bin/sh\ncd "$(dirname "$0")"\nsleep 600 & echo $! > sleeper; wait\n'
    here = desk(command=command(hangs), oldest_ready=300.0, timeout=1.0)
    here.depth(400.0)
    here.until(lambda: here.alerts.complaint, "it is ended")
    assert "took too long" in here.alerts.complaint
    sleeper = int((tmp_path / "sleeper").read_text())

    def gone() -> bool:
        found = processes.look(sleeper)
        return found is None or found.zombie

    wait_for(gone, 30.0, "its child is gone, too")


def test_a_command_that_fails_says_why_in_its_last_line(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]]
) -> None:
    chatters = "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\n"
    chatters += "echo >&2\necho no pager >&2\nexit 3\n"
    here = desk(command=command(chatters), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: here.alerts.complaint, "it has failed")
    assert here.alerts.complaint.endswith("exited with 3: no pager")


def test_a_command_that_is_not_there_is_said_with_the_mend(desk: Callable[..., Desk]) -> None:
    here = desk(command=("no-such-pager",), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: here.alerts.complaint, "it is said")
    assert "no-such-pager is in no folder of PATH" in here.alerts.complaint


def test_a_command_gets_no_secrets_of_the_daemon(
    desk: Callable[..., Desk],
    command: Callable[..., Sequence[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QSUPER_STORE__URL", "mysql+pymysql://user:password@host/db")
    monkeypatch.setenv("SHOP_API_KEY", "sesame")
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: (tmp_path / "environ").exists() and states(tmp_path), "it is told")
    wait_for(lambda: "PATH=" in (tmp_path / "environ").read_text(), 30.0)
    environ = (tmp_path / "environ").read_text()
    assert "password" not in environ
    assert "sesame" not in environ


def test_two_processes_at_a_reload_do_not_both_tell(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(1.0)
    here.turn()
    fresh = here.open()
    here.depth(400.0)
    here.until(lambda: states(tmp_path), "the old one tells")
    assert fresh.tick(clock()) == pytest.approx(0.2)
    here.alerts.order = DRAIN
    wait_for(lambda: here.alerts.tick(clock()) is None, 60.0)
    here.alerts.leave()
    here.alerts = fresh
    here.turn()
    here.turn()
    assert states(tmp_path) == [("oldest_ready", "begun")]
    here.depth(1.0)
    here.until(lambda: len(states(tmp_path)) == 2, "the fresh one tells the end")


def test_queues_that_are_not_counted_are_neither_well_nor_wrong(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: states(tmp_path), "it is told")
    here.node.count(ago=100.0)
    ends = time.monotonic() + 3
    here.until(lambda: time.monotonic() > ends, "time goes by")
    assert states(tmp_path) == [("oldest_ready", "begun")]
    here.node.count()
    here.until(lambda: len(states(tmp_path)) == 2, "they are counted again, and well")


@pytest.mark.parametrize("junk", [b"", b"junk", b'{"episodes": 7}', b"\xff\xfe"])
def test_junk_for_a_memory_is_begun_anew(
    junk: bytes, desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "alerts.json").write_bytes(junk)
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: states(tmp_path), "it is told")
    mode = (tmp_path / "var" / "alerts.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_memory_that_cannot_be_written_is_said_and_stops_nothing(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    (tmp_path / "var" / "alerts.new").mkdir(parents=True)
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: states(tmp_path), "it is told all the same")
    assert "alerts.json cannot be written" in here.alerts.complaint


def test_it_opens_neither_database_nor_redis(
    desk: Callable[..., Desk], command: Callable[..., Sequence[str]], tmp_path: Path
) -> None:
    here = desk(command=command(), oldest_ready=300.0)
    here.depth(400.0)
    here.until(lambda: states(tmp_path), "it is told")
    assert not list((tmp_path / "var").glob("*.db*"))
    descriptors = Path("/proc/self/fd").iterdir()
    opened = [str(one.readlink()) for one in descriptors if one.is_symlink()]
    assert not [name for name in opened if name.startswith(str(tmp_path)) and ".db" in name]
