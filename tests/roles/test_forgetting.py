"""The keeper and the ledger: keys that are over do not pile up."""

import time

from qsuper.roles.keeper import Keeper
from qsuper.store import ledger
from qsuper.store.ledger import PAGE, Entry, Key
from tests.roles.bench import Bench

HOUR = 3_600_000


def test_keys_that_have_been_over_for_an_hour_are_forgotten_some_each_second(bench: Bench) -> None:
    now, connection = int(time.time() * 1000), bench.table.connection
    old = [Key(0, b"old%d" % number) for number in range(PAGE + 5)]
    young, alive = Key(0, b"young"), Key(0, b"alive")
    entries = [Entry(key, now - HOUR - 60_000, b"x", "string") for key in (*old, alive)]
    ledger.arm(connection, [*entries, Entry(young, now - HOUR + 60_000, b"x", "string")])
    bench.table.write("UPDATE watched_keys SET state = 1 WHERE name <> :alive", alive=alive.name)
    keeper = Keeper(bench.place())
    keeper.forget(connection)
    assert len(ledger.read(connection, old)) == 5
    keeper.forget(connection)
    assert set(ledger.read(connection, [*old, young, alive])) == {young, alive}
