"""`qsuper doctor`: what it says, how it looks, and that it neither hangs nor changes anything."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from qsuper.cli.doctor import disks
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.examination import all_of, examine
from qsuper.cli.doctor.finding import Finding, Level, bad, note, ok, warn
from qsuper.cli.doctor.report import draw
from qsuper.config import Config, load
from qsuper.tasks.registry import Registry
from tests.unit.cli import call
from tests.unit.doctor import examined

CASE = Case(Config(), Registry(), None)


def test_a_fresh_folder_has_nothing_that_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However full the disk of this host is.
    monkeypatch.setattr(disks, "FREE_LITTLE", 0)
    found = examined(tmp_path)
    assert found.code == 0
    assert not found.wrong("database", "redis", "clocks", "crontab", "daemon")


def test_a_look_makes_nothing(tmp_path: Path) -> None:
    examined(tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_mistake_of_the_configuration_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text("[worker]\nbatch = -1\nnonsense = 1\n")
    found = examined(tmp_path)
    assert found.code == 1
    assert len(found.wrong("config")) == 2


def test_what_is_wrong_stands_first_and_all_of_it_fits_80_columns(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text(
        'app = "nowhere:queue"\nstate_dir = "' + "deep/" * 30 + '"\n[[schedule]]\n'
        'cron = "* * * * *"\ntask = "x"\n[tasks.x]\nprogram = ["/no/such/program"]\n'
    )
    answer = call(tmp_path, "doctor", COLUMNS="80")
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert lines[0].startswith("   bad  ")
    assert max(map(len, lines)) <= 80
    assert lines[-1].split(",")[0].endswith(" bad")
    assert "Traceback" not in answer.out


def test_the_worst_comes_first_and_the_mend_below_it() -> None:
    drawn = draw(
        [("one", [ok("fine"), warn("shaky", "hold it")]), ("two", [bad("broken", "mend it")])], 80
    )
    assert [line for line in map(_plain, drawn) if line] == [
        "   bad  two: broken",
        "        → mend it",
        "  warn  one: shaky",
        "        → hold it",
        "one",
        "    ok  fine",
        "1 bad, 1 warning, 0 notes; 3 things were looked at",
    ]


def test_control_bytes_of_strangers_are_not_printed() -> None:
    drawn = "\n".join(map(_plain, draw([("one", [note("a\x1b[31m\nb")])], 80)))
    assert "\\x1b[31m\\nb" in drawn


def test_what_does_not_answer_is_a_finding_and_what_it_had_said_is_kept() -> None:
    def hangs(case: Case) -> Iterator[Finding]:
        yield ok("so far")
        time.sleep(3600)

    def fails(case: Case) -> Iterator[Finding]:
        yield ok("at first")
        raise ZeroDivisionError("who divides?")

    found = dict(all_of({"hangs": hangs, "fails": fails}, CASE, 0.5))
    assert [one.says for one in found["hangs"]] == ["so far", "no answer within 0.5 s"]
    assert [one.level for one in found["fails"]] == [Level.OK, Level.BAD]
    assert "ZeroDivisionError: who divides?" in found["fails"][1].says


def test_an_application_that_hangs_while_it_is_imported_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "hanging_app.py").write_text(
        "import time\ntry:\n    time.sleep(3600)\nexcept Exception:\n    pass\n"
    )
    file = tmp_path / "qsuper.toml"
    file.write_text('app = "hanging_app:queue"\n')
    # The other subjects go on without it, or give up as well.
    found = dict(examine(load(file, environ={}), 1.0))
    assert "still being imported after 1 s" in found["app"][0].says
    assert found["clocks"][0].level is Level.OK


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "import no_such_module", "1 / 0"])
def test_an_application_that_cannot_be_imported_is_one_finding(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken_app.py").write_text(text)
    (tmp_path / "qsuper.toml").write_text('app = "broken_app:queue"\n')
    found = examined(tmp_path)
    (said,) = found.wrong("app")
    assert "importing broken_app failed" in said


def _plain(line: str) -> str:
    return click.unstyle(line)
