"""Jobs as programs read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from qsuper.roles.web import reading
from qsuper.roles.web.fields import Fields
from qsuper.roles.web.site import Site
from qsuper.store import browsing
from qsuper.store.database import Connection, Database
from tests.acceptance.rows import Rows

JOBS = 250


class Stored:
    """As much of a site as these readings need."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        connection = self.database.connect()
        try:
            yield connection
        finally:
            connection.close()


@pytest.fixture
def site(store_url: str) -> Site:
    rows = Rows(store_url)
    rows.add([(number, "work", {"n": number}) for number in range(1, JOBS + 1)], status=3)
    rows.run("UPDATE queue SET task = 'rare' WHERE id IN (1, 2, 3, 249)")
    return cast("Site", Stored(store_url))


def pages(site: Site, **given: object) -> list[dict[str, Any]]:
    """All of them, the first one first."""
    found = [reading.jobs(site, Fields(given))]
    while found[-1]["next"] is not None:
        found.append(reading.jobs(site, Fields(given | {"before": str(found[-1]["next"])})))
    return found


def ids(found: list[dict[str, Any]]) -> list[int]:
    return [job["id"] for page in found for job in page["jobs"]]


@pytest.mark.parametrize("most", [1, 7, 50, 51, 120, 250, 1000])
def test_every_job_is_on_one_page(site: Site, most: int) -> None:
    found = pages(site, most=most, state="dead")
    assert ids(found) == list(range(JOBS, 0, -1))
    assert {len(page["jobs"]) for page in found[:-1]} <= {most}
    assert found[0]["jobs"][0]["param"] == '{"n": 250}'
    assert found[0]["jobs"][0]["state"] == "dead"


def test_a_look_for_what_is_rare_ends_and_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "LOOK_MOST", 100)
    monkeypatch.setattr(browsing, "_AT_ONCE", 50)
    monkeypatch.setattr(reading, "LOOK_FOR", 0.0)
    found = pages(site, task="rare")
    assert ids(found) == [249, 3, 2, 1]
    assert len(found) >= 3
    assert not found[1]["jobs"], "nothing was found there, and there is more to be looked at"
    assert found[1]["next"]


def test_a_look_goes_on_for_as_long_as_it_may(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "LOOK_MOST", 100)
    monkeypatch.setattr(browsing, "_AT_ONCE", 50)
    monkeypatch.setattr(reading, "LOOK_FOR", 3600.0)
    assert ids([reading.jobs(site, Fields({"task": "rare"}))]) == [249, 3, 2, 1]
