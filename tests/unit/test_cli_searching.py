import json
from pathlib import Path
from unittest import mock

from tests.unit.cli import call


def ids(folder: Path, *words: str) -> list[int]:
    return [job["id"] for job in json.loads(call(folder, "jobs", "--json", *words).out)]


def test_jobs_are_found_by_what_is_in_their_param(tmp_path: Path) -> None:
    for number in range(1, 7):
        call(tmp_path, "add", "mail", json.dumps({"to": f"{number % 2}@example.com"}))
    call(tmp_path, "add", "other", '"1@example.com"')
    assert ids(tmp_path, "--text", "1@example") == [7, 5, 3, 1]
    assert ids(tmp_path, "--text", "1@example", "--task", "mail", "-n", "2") == [5, 3]
    assert ids(tmp_path, "--text", "1@example", "--before", "3") == [1]
    assert ids(tmp_path, "--text", "1@EXAMPLE") == []
    shown = call(tmp_path, "jobs", "--text", "1@example", "-n", "2").out.splitlines()
    assert [line.split()[0] for line in shown[1:-1]] == ["7", "5"]
    assert shown[-1].endswith("go on with --before 5")
    assert len(call(tmp_path, "jobs", "--text", "1@example").out.splitlines()) == 5


def test_a_look_goes_only_so_far_and_says_where_the_next_one_begins(tmp_path: Path) -> None:
    call(tmp_path, "add", "mail", '"needle"')
    for _ in range(4):
        call(tmp_path, "add", "mail", '"hay"')
    with mock.patch.multiple("qsuper.store.browsing", LOOK_MOST=2, _AT_ONCE=2):
        found = call(tmp_path, "jobs", "--text", "needle").out.splitlines()
        assert found[1:] == ["2 jobs were looked at; go on with --before 4"]
        found = call(tmp_path, "jobs", "--text", "needle", "--before", "2").out.splitlines()
        assert found[1].split()[0] == "1"


def test_a_text_is_not_for_counting(tmp_path: Path) -> None:
    answer = call(tmp_path, "jobs", "--group", "--text", "x")
    assert (answer.code, answer.out) == (2, "")
    assert call(tmp_path, "jobs", "--text", "").code == 2
