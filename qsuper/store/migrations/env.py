"""Alembic's entry: runs the versions on the connection that `schema.upgrade` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
if connection.dialect.name != "sqlite":
    # Where the server copies a table, a row with a zero date shall not be what it stumbles over.
    connection.exec_driver_sql(
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"
    )
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
