"""Every verb of the command line."""

import inspect
from collections.abc import Iterator

import click

from qsuper.cli.commands import COMMANDS, qsuper
from reference.markdown import code, page, table


def render() -> str:
    root = click.Context(qsuper, info_name="qsuper")
    return page(
        "Command line",
        "What each verb says with `--help`. `qsuper --config PATH VERB …` names the configuration;"
        " without it `$QSUPER_CONFIG` counts, else `./qsuper.toml`. What the exit codes mean:"
        " [exit codes](exits.md).",
        *(part for group in COMMANDS for part in _group(group, root)),
    )


def _group(name: str, root: click.Context) -> Iterator[str]:
    yield f"## {name}"
    for verb in COMMANDS[name]:
        command = qsuper.get_command(root, verb)
        assert command is not None
        yield from _verb(command, click.Context(command, info_name=verb, parent=root))


def _verb(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"### {context.command_path}"
    yield code(f"{context.command_path} {pieces}")
    yield from _paragraphs(command.help or "")
    options = [
        found
        for one in command.params
        if isinstance(one, click.Option) and (found := one.get_help_record(context))
    ]
    if options:
        yield table(("option", ""), [(code(name), _plain(about)) for name, about in options])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _verb(inner, click.Context(inner, info_name=name, parent=context))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).replace("\b\n", "").split("\n\n"):
        if paragraph.startswith("    "):
            yield "<br>".join(code(line.strip()) for line in paragraph.splitlines())
        elif paragraph.strip():
            yield _plain(" ".join(paragraph.split()))


def _plain(text: str) -> str:
    """Brackets and stars as they are: the text was written for a terminal."""
    return text.replace("[", "\\[").replace("*", "\\*").replace("<", "&lt;")
