"""What every verb starts from: the configuration, and the way to the database and the master."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qsuper.errors import NotRunning, StoreError

if TYPE_CHECKING:
    from qsuper.config import Config
    from qsuper.store.database import Connection, Database


class Settings:
    """The global options. Each method imports what it needs: `--help` needs nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def config(self) -> "Config":
        """The configuration in force now; raises `ConfigError`."""
        from qsuper.config import load

        return load(self._path, environ=os.environ)

    def database(self) -> "Database":
        """The database, with tables of this version; raises `StoreUnavailable`, `SchemaError`."""
        from qsuper.store import schema

        database = open_database(self.config())
        with naming(database):
            schema.ensure(database)
            with connected(database) as connection:
                schema.check(connection)
        return database

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """The master's reply; raises `NotRunning`, `Refused` or `WireError`."""
        from qsuper import wire

        state_dir = Path(self.config().state_dir)
        try:
            return wire.call(state_dir / "control.sock", verb, args)
        except NotRunning:
            raise NotRunning(f"not running in {state_dir}; start it with `qsuper run`") from None


def open_database(config: "Config") -> "Database":
    """The database of a configuration, whatever is in it. Nothing is opened yet."""
    from qsuper.store.database import Database

    store = config.store
    return Database(
        store.url, connect_timeout=store.connect_timeout, read_timeout=store.read_timeout
    )


@contextmanager
def naming(database: "Database") -> Iterator[None]:
    """What goes wrong in the block is said of this database."""
    try:
        yield
    except StoreError as error:
        where = database.engine.url.render_as_string(hide_password=True)
        raise type(error)(f"{where}: {error}") from error


@contextmanager
def connected(database: "Database") -> Iterator["Connection"]:
    """A connection for as long as the block runs."""
    connection = database.connect()
    try:
        yield connection
    finally:
        connection.close()


pass_settings = click.make_pass_decorator(Settings)
