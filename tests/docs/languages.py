"""How a block is run: one function a language."""

import configparser
import json
import shutil
import sqlite3
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pymysql
import yaml  # type: ignore[import-untyped]  # no stubs are locked
from pymysql.constants import CLIENT
from sqlalchemy import make_url

from qsuper import Queue
from qsuper.config import load
from qsuper.cron import CronLine
from qsuper.store.schema import ensure
from tests.docs.page import Block
from tests.docs.place import Place

_SUPERVISOR = "from supervisor.options import ServerOptions; ServerOptions().realize(['-c', {!r}])"


def run(block: Block, place: Place) -> None:
    """Run a block; an error where it is wrong, or of no language that is known."""
    language = LANGUAGES.get(block.language)
    assert language is not None, (
        f"{block.where}: a block in {block.language or 'no language'}: have one of "
        f"{', '.join(LANGUAGES)}"
    )
    text = place.here(block.text)
    if block.file is not None and block.language != "console":
        path = place.folder / place.here(block.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    try:
        language(block, text, place)
    except Exception as error:
        raise AssertionError(f"{block.where}: {error}") from error


def _console(block: Block, text: str, place: Place) -> None:
    place.shell.run(text)


def _python(block: Block, text: str, place: Place) -> None:
    name = Path(block.file or "").name
    if name == "conftest.py" or name.startswith("test_"):
        compile(text, block.page, "exec")  # pytest runs it, in a console block
        return
    place.python(source=text, page=block.page, line=block.line, file=block.file)


def _toml(block: Block, text: str, place: Place) -> None:
    tomllib.loads(text)
    file = place.folder / (block.file or "fragment.toml")
    file.write_text(text)
    load(file, environ={})


def _ini(block: Block, text: str, place: Place) -> None:
    parser = configparser.RawConfigParser(
        strict="[Unit]" not in text, inline_comment_prefixes=(";",)
    )
    parser.read_string(text)
    if parser.has_section("Service"):
        _unit(text, place)
    elif any(section.startswith("program:") for section in parser.sections()):
        file = place.folder / (block.file or "fragment.conf")
        file.write_text(text if "[supervisord]" in text else f"[supervisord]\n{text}")
        place.run(sys.executable, "-c", _SUPERVISOR.format(str(file)))


def _unit(text: str, place: Place) -> None:
    """systemd's own judgement where it is installed, of a unit whose program is there."""
    if shutil.which("systemd-analyze") is None:
        return
    qsuper = str(Path(sys.executable).with_name("qsuper"))
    file = place.folder / "verified.service"
    file.write_text(text.replace(f"{place.folder}/.venv/bin/qsuper", qsuper))
    place.run("systemd-analyze", "verify", "--man=no", str(file))


def _sql(block: Block, text: str, place: Place) -> None:
    """On the database that the page's own configuration names."""
    file = place.folder / "qsuper.toml"
    url = load(file, environ={}).store.url if file.exists() else place.default_url
    if url.startswith("sqlite"):
        ensure(Queue(url).database)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            connection.executescript(text)
        return
    found = make_url(url)
    with (
        closing(
            pymysql.connect(
                host=found.host,
                port=found.port or 3306,
                user=found.username,
                password=str(found.password or ""),
                database=found.database,
                client_flag=CLIENT.MULTI_STATEMENTS,
                autocommit=True,
            )
        ) as server,
        server.cursor() as cursor,
    ):
        cursor.execute(text)
        while cursor.nextset():
            pass


def _php(block: Block, text: str, place: Place) -> None:
    if block.file is not None:
        place.run("php", "-l", block.file)  # a console block runs it
        return
    file = place.folder / "fragment.php"
    file.write_text(text if text.startswith("<?php") else f"<?php\n{text}")
    place.run("php", str(file))


def _sh(block: Block, text: str, place: Place) -> None:
    assert block.file is not None, "what is typed is `console`; a script says its name, # dump.sh"
    place.run("sh", "-n", block.file)
    (place.folder / block.file).chmod(0o755)


def _crontab(block: Block, text: str, place: Place) -> None:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            fields = line.split(maxsplit=5)
            CronLine(" ".join(fields[:5]))
            place.run("sh", "-c", fields[5])


def _json(block: Block, text: str, place: Place) -> None:
    json.loads(text)


def _yaml(block: Block, text: str, place: Place) -> None:
    yaml.safe_load(text)


LANGUAGES: dict[str, Callable[[Block, str, Place], None]] = {
    "console": _console,
    "python": _python,
    "toml": _toml,
    "ini": _ini,
    "sql": _sql,
    "php": _php,
    "sh": _sh,
    "crontab": _crontab,
    "json": _json,
    "yaml": _yaml,
}
