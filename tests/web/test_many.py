"""Many jobs moved, when that takes longer than one waits for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from qsuper.roles.web.actions import many
from qsuper.roles.web.actions.action import Unconfirmed
from qsuper.roles.web.fields import BadField, Fields
from qsuper.roles.web.pages import bulk
from qsuper.roles.web.serving import unfinished
from qsuper.roles.web.showing.rendering import render
from qsuper.roles.web.site import Site
from qsuper.states import State
from qsuper.store import walking
from qsuper.store.database import Connection
from tests.store.table import Table
from tests.web.markup import HOSTILE

NOW = 2_000_000_000.25
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')


class Desk:
    """What of a site the moves and their page use."""

    def __init__(self, table: Table) -> None:
        self.database = table.database
        self._table = table

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        yield self._table.connection

    def now(self) -> float:
        return NOW


@pytest.fixture
def table(store_url: str) -> Iterator[Table]:
    """2,000 jobs that do not fit, and five that do, at the end."""
    table = Table(store_url)
    table.add(2000, status=1)
    table.add(5, status=1, task="rare", queue="zz")
    yield table
    table.close()


@pytest.fixture
def site(table: Table, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Nobody waits for more than one page of 500."""
    monkeypatch.setattr(walking, "PAGE", 500)
    monkeypatch.setattr(many, "TIME_MOST", 0.0)
    monkeypatch.setattr(bulk, "COUNT_FOR", 0.0)
    monkeypatch.setattr(unfinished, "_left", {})
    return cast("Site", Desk(table))


CHOICE = {"state": "done", "task": "rare", "yes": True}


def test_a_program_that_gives_the_position_back_gets_to_the_end(site: Site, table: Table) -> None:
    moved, calls, at = 0, 0, None
    while calls == 0 or at is not None:
        told = many.retry(site, Fields(CHOICE | {"at": at})).numbers
        assert told["over"] == (told["at"] is None)
        moved, calls, at = moved + told["moved"], calls + 1, told["at"]
    assert (moved, calls) == (5, 6)
    assert table.states() == {State.DONE: 2000, State.READY: 5}


def test_without_the_position_it_begins_anew(site: Site) -> None:
    first, second = (many.retry(site, Fields(CHOICE)).numbers for _ in range(2))
    assert first == second


@pytest.mark.parametrize("at", ["x", "0.0.0.99999999999999999999.q", HOSTILE, "0.0.0.0.a\0", 7])
def test_a_position_that_nobody_has_given_out_is_refused(site: Site, at: object) -> None:
    with pytest.raises(BadField, match=r"^at is "):
        many.retry(site, Fields(CHOICE | {"at": at}))


def test_how_many_there_are_is_not_counted_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = Fields(CHOICE | {"yes": False})
    monkeypatch.setattr(many, "COUNT_FOR", -1.0)
    with pytest.raises(Unconfirmed, match=r"cannot be counted in -1 s \(0 so far\): say yes"):
        many.retry(site, fields)
    monkeypatch.setattr(many, "COUNT_FOR", 3600.0)
    assert many.retry(site, fields).numbers["at"] is not None


def ask(site: Site, query: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The page, and what its form sends."""
    frame = {"csrf": "c", "read_only": False, "here": "/bulk", "now": NOW, "page": None}
    page = render("bulk.html", **frame, **bulk.load(site, {}, query))
    return page, dict(FIELD.findall(page.replace("&amp;", "&")))


@pytest.mark.parametrize("since", [{}, {"since": "90d", "until": "1h"}])
def test_who_presses_the_button_again_and_again_gets_to_the_end(
    site: Site, table: Table, since: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table.write("UPDATE queue SET ctime = '2033-05-01 00:00:00', mtime = '2033-05-01 00:00:00'")
    query = {"action": "retry-many", "state": "done", "task": "rare"} | since
    page, fields = ask(site, query)
    assert "Retry 0 and more done jobs?" in page
    for _ in range(5):
        assert "Retry them" in page
        sent = {name: fields[name] for name in fields if name not in ("csrf", "back")}
        many.retry(site, Fields(sent))
        assert fields["back"].startswith("/bulk?")
        back = dict(pair.split("=") for pair in fields["back"][6:].split("&"))
        query = {name: text.replace("+", " ").replace("%3A", ":") for name, text in back.items()}
        page, fields = ask(site, query)
        assert "This goes on where it stopped: behind job " in page
    assert table.states() == {State.DONE: 2000, State.READY: 5}
    monkeypatch.setattr(bulk, "COUNT_FOR", 3600.0)
    page, fields = ask(site, query)
    assert ("Retry 0 done jobs?" in page, "Retry them" in page) == (True, True)
    many.retry(
        site, Fields({name: fields[name] for name in fields if name not in ("csrf", "back")})
    )
    page, _ = ask(site, query)
    assert "This goes on" not in page, "all was looked at, and it begins anew"


def test_a_moment_that_no_date_has_is_the_first_or_the_last_one(site: Site) -> None:
    query = {"action": "retry-many", "state": "done", "since": "99999d", "until": "9999-12-31"}
    _, fields = ask(site, query)
    sent = {"state": "done", "yes": "1", "since": fields["since"], "until": fields["until"]}
    assert many.retry(site, Fields(sent)).numbers["moved"] == 500
    assert (float(fields["since"]), float(fields["until"])) == (0, 253402214400)


def test_where_to_go_on_is_forgotten_after_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"action": "retry-many", "state": "done", "task": "rare"}
    many.retry(site, Fields(CHOICE))
    assert "This goes on" in ask(site, query)[0]
    many.retry(site, Fields(CHOICE | {"task": "other"}))
    monkeypatch.setattr(unfinished, "MOST", 1)
    many.retry(site, Fields(CHOICE | {"task": "third"}))
    assert "This goes on" not in ask(site, query)[0], "others have come since"
    monkeypatch.setattr(unfinished, "KEPT_FOR", 0.0)
    many.retry(site, Fields(CHOICE))
    assert "This goes on" not in ask(site, query)[0], "it is long ago"
