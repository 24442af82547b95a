"""The codecs query and php against PHP: what it gave is recorded, and asked anew where it is."""

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qsuper.errors import ParamError
from qsuper.tasks.codecs.php import serialize, unserialize
from qsuper.tasks.codecs.query import build_query, parse_query
from tests.acceptance.figures import Figures

FOLDER = Path(__file__).parent / "php"
RECORDED: dict[str, Any] = json.loads((FOLDER / "recorded.json").read_text("utf-8"))
CASES_LEAST = 60

OURS: dict[str, Callable[[str], Any]] = {
    "http_build_query": lambda given: build_query(json.loads(given)),
    "parse_str": parse_query,
    "serialize": lambda given: serialize(json.loads(given)),
    "unserialize": unserialize,
}
GIVES_JSON = ("parse_str", "unserialize")


def theirs(function: str, gives: str | None) -> Any:
    """What PHP gave; `ParamError` where it gave nothing."""
    if gives is None:
        return ParamError
    if function not in GIVES_JSON:
        return gives
    value = json.loads(gives, object_pairs_hook=with_keys_of(function))
    # PHP writes an empty array as a list: what a query names nothing in is a dict to us.
    return value if value or function != "parse_str" else {}


def with_keys_of(function: str) -> Callable[[list[tuple[str, Any]]], dict[Any, Any]]:
    """PHP's integer keys are text in JSON, and text in what we read of a query."""
    if function == "parse_str":
        return dict
    return lambda pairs: {
        int(key) if str(key).removeprefix("-").isdecimal() else key: value for key, value in pairs
    }


def ours(function: str, given: str) -> Any:
    try:
        return OURS[function](given)
    except ParamError:
        return ParamError


def exactly(value: Any) -> str:
    """With what == does not tell apart: 1 from 1.0 and True, and the order of keys."""
    return repr(value)


def differences(function: str, cases: dict[str, str | None]) -> list[str]:
    """The cases in which we do something else than what is recorded."""
    return [
        given
        for given, gives in cases.items()
        if exactly(ours(function, given)) != exactly(theirs(function, gives))
    ]


@pytest.mark.parametrize("function", OURS)
def test_what_is_written_and_read_is_what_php_writes_and_reads(
    function: str, request: pytest.FixtureRequest
) -> None:
    cases = RECORDED[function]
    assert not differences(function, cases)
    Figures(request.node.name)(cases=len(cases), php=RECORDED["php"])


@pytest.mark.parametrize("function", OURS)
def test_the_comparison_sees_what_php_would_do_otherwise(function: str) -> None:
    given, gives = list(RECORDED[function]), list(RECORDED[function].values())
    others = dict(zip(given, gives[1:] + gives[:1], strict=True))
    wrong = differences(function, others)
    assert len(wrong) > len(others) / 2
    assert set(wrong) == {
        case for case, other in others.items() if other != RECORDED[function][case]
    }


def test_what_is_recorded_is_what_php_gives_where_it_is_installed() -> None:
    """Without PHP the recording stands for itself, and is large enough."""
    assert sum(len(RECORDED[function]) for function in OURS) >= CASES_LEAST
    php = shutil.which("php")
    if php is not None:
        given = (FOLDER / "recorded.json").read_bytes()
        command = [php, "-n", str(FOLDER / "record.php")]
        anew = json.loads(
            subprocess.run(command, input=given, capture_output=True, check=True).stdout
        )
        assert {**anew, "php": ""} == {**RECORDED, "php": ""}


def test_every_query_that_is_written_is_read_back_by_php_s_rules() -> None:
    for given, text in RECORDED["http_build_query"].items():
        assert build_query(parse_query(text)) == text, given


def test_not_a_number_is_written_as_php_writes_it() -> None:
    assert serialize(math.nan) == "d:NAN;"
    assert math.isnan(unserialize("d:NAN;"))
    assert build_query({"a": math.nan}) == "a=NAN"
