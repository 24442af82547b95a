"""Every block of code of every page is run, in the order of the page, in one folder."""

import pytest
from sqlalchemy import make_url

from qsuper.store.database import Database
from qsuper.store.schema import upgrade
from tests.docs.page import hidden, pages
from tests.docs.place import TOP, Place
from tests.docs.running import read, run_page
from tests.servers import MariaDB

MAY_NOT_RUN = 5
PAGES = pages(TOP)
ELSEWHERE = {"docs/tutorial.md"}
"""It takes so long that it is a file of tests of its own: files run at the same time."""


@pytest.mark.parametrize("page", [page for page in PAGES if read(page) and page not in ELSEWHERE])
def test_every_block_of_the_page_runs(page: str, place: Place) -> None:
    run_page(read(page), place)


def test_the_sql_contract_holds_on_mariadb_as_well(place: Place, mariadb: MariaDB) -> None:
    place.default_url = mariadb.create_database()
    upgrade(Database(place.default_url, connect_timeout=5, read_timeout=30))
    run_page(read("docs/reference/sql.md"), place)
    enqueued = mariadb.query(f"SELECT task FROM {make_url(place.default_url).database}.queue")
    assert sorted(enqueued) == [("cancel_order",), ("send_msg",)]
    mariadb.drop(place.default_url)


def test_no_command_hides_in_an_indented_block() -> None:
    found = [line for page in PAGES for line in hidden(page, (TOP / page).read_text())]
    assert not found, "\n".join(["write these as ```console or the like:", *found])


def test_at_most_five_blocks_are_not_run() -> None:
    every = [block for page in PAGES for block in read(page)]
    left_out = [block for block in every if block.not_run is not None]
    print(f"{len(every)} blocks on {len(PAGES)} pages, {len(left_out)} of them not run")
    for block in left_out:
        print(f"{block.where}: {block.not_run}")
    assert len(left_out) <= MAY_NOT_RUN
