from datetime import UTC, datetime

import pytest

from qsuper.roles.web.fields import BadField
from qsuper.roles.web.pages.filters import browse, moment
from qsuper.roles.web.showing.wording import (
    clock_time,
    head,
    lasting,
    lines,
    link,
    number,
    pretty,
    sentence,
    size,
    visible,
    when,
)
from qsuper.states import State

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


def test_numbers_lengths_and_sizes_are_written_short() -> None:
    assert [number(value) for value in (None, 0, 0.34, 12.6, 1234567)] == [
        "–",
        "0",
        "0.3",
        "13",
        "1,234,567",
    ]
    assert [lasting(value) for value in (None, 0, 0.0002, 0.25, 1.5, 200)] == [
        "–",
        "0s",
        "< 1 ms",
        "250 ms",
        "1.5s",
        "3m 20s",
    ]
    assert [size(value) for value in (None, 4096, 24 << 20, 3 << 29)] == [
        "–",
        "4 KB",
        "24 MB",
        "1.5 GB",
    ]


def test_a_moment_is_told_by_its_distance_and_to_machines() -> None:
    assert when(NOON - 90, NOON) == (
        '<time datetime="2026-11-20T11:58:30Z" title="2026-11-20 11:58:30 UTC">1m 30s ago</time>'
    )
    assert ">in 1m 30s<" in when(NOON + 90, NOON)
    assert ">2026-11-20 12:00:00 UTC<" in clock_time(NOON)
    assert when(None) == clock_time(None) == "–"


def test_a_moment_that_no_calendar_has_is_told_as_a_number() -> None:
    assert "1e+20" in clock_time(1e20)


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\x1b[2J\u202eb\n") == "a\\x1b[2J\\u202eb\\n"
    assert visible("") == visible(None) == "–"
    assert lines("a\tb\r\nc\x00\u2066") == "a\tb\nc\\x00\\u2066"
    assert head("x" * 10 + "\n", 5) == "xxxx…"


def test_what_is_to_be_typed_stands_out_and_nothing_else_becomes_markup() -> None:
    assert sentence("<b> `qsuper retry 5` `<i>`") == (
        "&lt;b&gt; <code>qsuper retry 5</code> <code>&lt;i&gt;</code>"
    )


def test_json_is_set_out_and_anything_else_left_alone() -> None:
    assert pretty('{"a":["é"]}') == '{\n  "a": [\n    "é"\n  ]\n}'
    assert [pretty(text) for text in ("5", "a=1&b=2", "[" * 100_000)] == [None, None, None]


def test_an_address_leaves_out_what_has_no_value() -> None:
    assert link("/jobs", task="a&b", queue="", name=None, before=5) == "/jobs?task=a%26b&before=5"
    assert link("/jobs", task="") == "/jobs"


def test_moments_are_read_as_ages_or_as_dates_in_utc() -> None:
    assert moment("2h", NOON) == NOON - 7200
    assert moment("2026-11-20 12:00", 0.0) == moment("2026-11-20T13:00+01:00", 0.0) == NOON
    for wrong in ("yesterday", "2026-13-01", "-5"):
        with pytest.raises(BadField, match="is no moment"):
            moment(wrong, NOON)


def test_filters_are_read_from_the_fields_of_an_address() -> None:
    found = browse({"state": "dead", "task": " a ", "since": "1h", "text": "", "other": "x"}, NOON)
    assert (found.state, found.task, found.since, found.text) == (
        State.DEAD,
        "a",
        NOON - 3600,
        None,
    )
    with pytest.raises(BadField, match="'gone' is no state"):
        browse({"state": "gone"}, NOON)
