"""The runner of the pages: what it must find, and what it must let pass."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.matching import matches
from tests.docs.page import blocks, hidden
from tests.docs.place import Place
from tests.docs.running import run_page
from tests.docs.shell import commands


def page(*parts: tuple[str, str]) -> str:
    return "\n\n".join(f"```{language}\n{text}\n```" for language, text in parts)


WRONG = {
    "a command that fails": (("console", "$ false"),),
    "a command that prints something else": (("console", "$ echo one\ntwo"),),
    "a line too many": (("console", "$ printf 'one\\ntwo\\n'\none"),),
    "a verb that is not there": (("console", "$ qsuper no-such-verb"),),
    "a shell that is left": (("console", "$ exit 0"),),
    "output without a command": (("console", "qsuper status"),),
    "Python that raises": (("python", "1 / 0"),),
    "Python that exits": (("python", "raise SystemExit(0)"),),
    "a name that no block before has": (("python", "print(nobody)"),),
    "a key that is none": (("toml", "[job]\ntimeuot = 3"),),
    "a section twice": (("ini", "[program:a]\ncommand = a\n[program:a]\ncommand = b"),),
    "a program that supervisord does not take": (("ini", "[program:a]\nautorestart = perhaps"),),
    "a column that is none": (("sql", "INSERT INTO queue (taks) VALUES ('a')"),),
    "PHP that does not parse": (("php", "echo 'a"),),
    "PHP that fails": (("php", "exit(3);"),),
    "a script that does not parse": (("sh", "# a.sh\nif true"),),
    "a crontab's minute": (("crontab", "61 * * * * true"),),
    "a crontab's command": (("crontab", "* * * * * false"),),
    "JSON that is none": (("json", "{'a': 1}"),),
    "YAML that is none": (("yaml", "a: [1"),),
    "a test that nobody runs": (("python", "# test_a.py\ndef test_a(): ..."),),
    "a program that nobody runs": (("php", "<?php\n// a.php\n"), ("python", "pass")),
    "no language": (("", "qsuper status"),),
    "an unknown language": (("cobol", "STOP RUN."),),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_block_fails(what: str, place: Place) -> None:
    with pytest.raises(AssertionError, match=r"wrong\.md"):
        run_page(list(blocks("wrong.md", page(*WRONG[what]))), place)


RIGHT = {
    "a session": (("console", "$ cd /tmp\n$ x=1; pwd\n/tmp\n$ echo $x\n1"),),
    "a command that shall fail": (("console", "$ ls nowhere\n…nowhere…\n$ echo $?\n2"),),
    "what comes after a while": (("console", "$ (sleep 0.5; echo a >b) &\n$ cat b\na"),),
    "a command of two lines": (("console", "$ cat <<END\n> one\n> END\none"),),
    "a namespace": (("python", "one = 1"), ("python", "assert one == 1")),
    "a module": (("python", "# one.py\none = 1"), ("console", "$ python -c 'import one'")),
    "a configuration": (
        ("toml", "# qsuper.toml\n[queues.mail]\nworkers = 2"),
        ("console", "$ grep -c mail qsuper.toml\n1"),
    ),
    "the folder": (("console", "$ pwd\n/srv/shop"),),
    "a row": (
        ("sql", "INSERT INTO queue (task) VALUES ('sweep')"),
        ("console", "$ qsuper jobs\n…\n…sweep…\n…"),
    ),
    "PHP": (("php", "<?php\n// a.php\necho 'one';"), ("console", "$ php a.php\none")),
    "a test": (
        ("python", "# test_a.py\ndef test_a(): ..."),
        ("console", "$ pytest -q\n…\n1 passed…"),
    ),
}


@pytest.mark.parametrize("what", RIGHT)
def test_a_right_page_passes(what: str, place: Place) -> None:
    run_page(list(blocks("right.md", page(*RIGHT[what]))), place)


def test_what_is_marked_is_not_run_and_only_that() -> None:
    text = f"<!-- not-run: needs a registry -->\n\n{page(('console', '$ false'))}\n\n" + page(
        ("python", "1 / 0")
    )
    first, second = blocks("marked.md", text)
    assert (first.not_run, second.not_run) == ("needs a registry", None)


def test_a_block_knows_its_page_line_and_file() -> None:
    text = "# Title\n\n1. one\n\n    ```python\n    # shop.py\n    a = 1\n    ```\n"
    (block,) = blocks("docs/a.md", text)
    assert (block.where, block.file, block.text) == ("docs/a.md:6", "shop.py", "# shop.py\na = 1\n")


def test_a_block_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a\.md:1: a block without an end"):
        list(blocks("a.md", "```python\n1"))


def test_commands_and_code_in_indented_blocks_are_found() -> None:
    text = "Run\n\n    qsuper status\n\nor\n\n    @queue.task\n\nA tree:\n\n    master ── worker\n"
    assert hidden("a.md", text) == ["a.md:3: qsuper status", "a.md:7: @queue.task"]
    assert not hidden("a.md", "```python\ndef f():\n\n    import os\n```\n")


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("", "anything", True),
        ("one", "one\n", True),
        ("one", "one\ntwo", False),
        ("one\n…", "one\ntwo\nthree", True),
        ("…\nthree", "one\ntwo\nthree", True),
        ("o…e   two", "once  two", True),
        ("…", "", True),
        ("one\n…\ntwo", "one\ntwo", True),
        ("a.c", "abc", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def test_a_session_is_cut_into_its_commands() -> None:
    session = "$ one \\\n>  more\nprinted\n> printed\n$ two"
    assert [(one.text, one.expected) for one in commands(session)] == [
        ("one \\\n more", "printed\n> printed"),
        ("two", ""),
    ]


def test_nothing_that_a_page_starts_outlives_it(
    ports: Callable[[str], str], tmp_path: Path
) -> None:
    place = Place(ports)
    text = "$ setsid sh -c 'echo $$ >left; exec sleep 1000' &\n$ cat left\n…"
    place.shell.run(text)
    pid = int((place.folder / "left").read_text())
    place.close()
    assert not Path(f"/proc/{pid}").exists()
