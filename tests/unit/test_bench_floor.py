"""The floors that the benchmark holds qsuper against run qsuper's own statements, word for word."""

import re
from pathlib import Path

import pytest

from bench.floor import drain, drain_sqlite
from qsuper.store import acking, claiming
from qsuper.store.backend import MYSQL, SQLITE, Backend, Statement

FLOOR = Path(drain.__file__).parent


def words(sql: str) -> list[str]:
    return sql.replace("(", " ( ").replace(")", " ) ").split()


@pytest.mark.parametrize(
    ("floor", "statement"),
    [("LOOK", claiming.OF_SLICE), ("CLAIM", claiming._CLAIM), ("ACK", acking._COMPLETE)],
)
@pytest.mark.parametrize(("module", "backend"), [(drain, MYSQL), (drain_sqlite, SQLITE)])
def test_the_floor_runs_the_same_statements(
    module: object, backend: Backend, floor: str, statement: Statement
) -> None:
    assert words(getattr(module, floor)) == words(statement.compile(backend))


@pytest.mark.parametrize("file", sorted(FLOOR.glob("[a-z]*.py")), ids=lambda file: file.stem)
def test_a_floor_is_a_bare_loop_of_at_most_seventy_lines(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= 70
    assert not re.search(r"^\s*(from|import) qsuper", text, re.MULTILINE)
