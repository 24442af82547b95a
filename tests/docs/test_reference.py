"""The pages that are made from the code are what the code makes of them today."""

from enum import Enum

import pytest

from qsuper.cli.commands import COMMANDS
from qsuper.config import Config
from reference import PAGES, docstrings
from reference.__main__ import FOLDER
from tests.unit.test_config import every_key


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run scripts/reference"


def test_nothing_else_is_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_every_key_of_the_configuration_is_there() -> None:
    text = PAGES["config.md"]()
    missing = [key for key in every_key(Config) if f"| `{key.rpartition('.')[2]}` |" not in text]
    assert not missing


def test_every_verb_is_there() -> None:
    text = PAGES["commands.md"]()
    verbs = [verb for group in COMMANDS.values() for verb in group]
    assert [verb for verb in verbs if f"### qsuper {verb}\n" not in text] == []


def test_what_stands_below_a_name_is_found_and_nothing_else() -> None:
    assert docstrings.of(Sample) == {}, "only qsuper's own classes are read"
    found = docstrings._own(Sample)
    assert found == {"ONE": "The first."}


class Sample(Enum):
    """A class to be read."""

    ONE = 1
    """The first."""
    TWO = 2
