"""The pages of docs/reference, made from the code: `scripts/reference`."""

from collections.abc import Callable

from reference import commands, config, exits, metrics, sql

PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands.render,
    "config.md": config.render,
    "exits.md": exits.render,
    "metrics.md": metrics.render,
    "sql.md": sql.render,
}
