"""The files under conf/ say what the command line understands."""

import configparser
import shlex
from pathlib import Path

import click
import pytest

from qsuper.cli.commands import qsuper
from qsuper.config import Config

CONF = Path(__file__).parents[2] / "conf"


def parses(command: str) -> bool:
    """Whether the command line takes this command; raises click's usage error if not."""
    program, *arguments = shlex.split(command.partition(">")[0])
    assert program == "qsuper"
    verb: click.Command | None = qsuper
    context = click.Context(qsuper)
    while isinstance(verb, click.Group):
        name, *arguments = arguments
        verb = verb.get_command(context, name)
    assert verb is not None
    verb.make_context(str(verb.name), arguments, parent=context)
    return True


def test_a_command_that_is_none_is_told_from_one_that_is() -> None:
    assert parses("qsuper work --slice 3/10")
    with pytest.raises(click.UsageError):
        parses("qsuper work --slice 10/10")
    with pytest.raises(AssertionError):
        parses("qsuper wrok")


def test_the_crontab_passes_over_each_slice_once_and_its_lines_can_be_run() -> None:
    lines = [
        line.split(maxsplit=5)
        for line in (CONF / "crontab.example").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    commands = [line[5].removeprefix("cd /srv/shop && ") for line in lines]
    slices = [command.split()[3] for command in commands if command.startswith("qsuper work ")]
    assert slices == [f"{index}/10" for index in range(10)]
    assert all(parses(command) for command in commands)


def test_supervisord_waits_longer_for_a_stop_than_workers_may_take() -> None:
    conf = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    conf.read(CONF / "supervisord.conf")
    program = conf["program:qsuper"]
    assert program["command"] == "qsuper run --wait"
    assert parses(program["command"])
    assert int(program["stopwaitsecs"]) > Config().worker.stop_timeout
    assert program["stopsignal"] == "TERM"
    assert program["autorestart"] == "unexpected"
    assert not program.getboolean("stopasgroup")
    assert not program.getboolean("killasgroup")
