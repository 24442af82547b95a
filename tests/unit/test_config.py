"""The configuration: its sources, its mistakes, its defaults and its example."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from msgspec.structs import fields, replace

from qsuper.config import Autoscale, BackoffConfig, Config, QueueConfig, load, redact_url
from qsuper.config.tables.table import Table
from qsuper.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "conf" / "qsuper.toml.example"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, environ: Mapping[str, str] | None = None, **overrides: object) -> Config:
    Path("qsuper.toml").write_text(text)
    return load(environ=environ or {}, overrides=overrides)


def problems(
    text: str = "",
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    Path("qsuper.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(environ=environ or {}, overrides=overrides)
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all("\n" not in line for line in caught.value.problems)
    return list(caught.value.problems)


def only_problem(
    text: str = "",
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> str:
    (line,) = problems(text, environ, overrides)
    return line


def test_without_a_file_everything_has_its_default(folder: Path) -> None:
    config = load(environ={})
    assert config.file is None
    assert config.queues == {"default": QueueConfig(workers=4)}
    assert config.store.url == f"sqlite:///{folder}/var/qsuper.db"
    assert config.state_dir == f"{folder}/var"
    assert config.log.dir == f"{folder}/var/log"
    assert config.job == Config().job
    assert config.node.name


def test_the_file_named_wins_over_the_variable_and_that_over_the_folder(folder: Path) -> None:
    for name in ("flag", "variable", "qsuper"):
        Path(f"{name}.toml").write_text(f'app = "{name}:queue"')
    environ = {"QSUPER_CONFIG": "variable.toml"}
    assert load(Path("flag.toml"), environ=environ).app == "flag:queue"
    assert load(environ=environ).app == "variable:queue"
    assert load(environ={"QSUPER_CONFIG": ""}).app == "qsuper:queue"
    assert load(environ={}).file == f"{folder}/qsuper.toml"


def test_the_environment_goes_over_the_file_and_flags_over_both() -> None:
    text = '[log]\nlevel = "error"\nformat = "json"\nkeep_days = 3'
    environ = {"QSUPER_LOG__LEVEL": "WARNING", "QSUPER_LOG__FORMAT": "text"}
    config = read(text, environ, **{"log.level": "debug", "log.keep_days": None})
    assert (config.log.level, config.log.format, config.log.keep_days) == ("debug", "text", 3)


def test_the_environment_sets_every_kind_of_key() -> None:
    config = read(
        '[redis]\nurl = "embedded"\n[queues."send-mail"]\nworkers = 1\n[queues.default]',
        {
            "QSUPER_APP": "shop:queue",
            "QSUPER_STATE_DIR": "/run/qsuper",
            "QSUPER_REDIS__URL": "",
            "QSUPER_QUEUES__SEND_MAIL__WORKERS": "2",
            "QSUPER_QUEUES__DEFAULT__WORKERS__MIN": "1",
            "QSUPER_QUEUES__DEFAULT__WORKERS__MAX": "9",
            "QSUPER_WORKER__MAX_MEMORY": "256MB",
            "QSUPER_JOB__TIMEOUT": "2h",
            "QSUPER_JOB__KEEP_DAYS": "3",
            "QSUPER_TASKS__RESIZE__PROGRAM": '["php", "resize.php"]',
        },
    )
    assert config.app == "shop:queue"
    assert config.store.url == "sqlite:////run/qsuper/qsuper.db"
    assert config.redis.url is None
    assert config.queues["send-mail"].workers == 2
    assert config.queues["default"].autoscale == Autoscale(min=1, max=9)
    assert config.worker.max_memory == 256 * 1024**2
    assert config.job.timeout == 7200
    assert config.job.keep_days.done == config.job.keep_days.dead == 3
    assert config.tasks["resize"].program == ("php", "resize.php")


def test_variables_that_qsuper_sets_for_its_own_processes_are_no_keys() -> None:
    reserved = ("RUN", "FAILPOINT", "JOB_ID", "JOB_MY__ID", "TEST_MYSQL__URL", "HOME")
    config = load(environ={f"QSUPER_{name}": "x" for name in reserved})
    assert config == load(environ={})


def test_all_mistakes_are_told_at_once_each_with_its_file_place_and_mend() -> None:
    lines = problems(
        """
        ap = "x:y"
        [stroe]
        [queues.mail]
        workers = 900
        [queues."a b"]
        [job]
        timeout = "1 week"
        max_attempts = true
        [log]
        levle = "info"
        [[schedule]]
        cron = "* * * * *"
        task = "a b"
        """,
        {"QSUPER_LOG__FORMTA": "text", "QSUPER_JOB__TIMEOUTS": "3", "QSUPER_WEB__LISTEN": "x"},
        {"worker.batch": 513},
    )
    known = '"host:port", such as "127.0.0.1:8470"'
    assert sorted(lines) == sorted(
        [
            "qsuper.toml: ap: unknown key; did you mean app?",
            "qsuper.toml: [stroe]: unknown table; did you mean [store]?",
            "qsuper.toml: [queues.mail] workers: must be a whole number from 0 to 500, "
            "or { min = 2, max = 16 }, not 900",
            'qsuper.toml: [queues."a b"]: the name must be 1 to 64 characters out of '
            "A-Z a-z 0-9 _ . : -",
            'qsuper.toml: [job] timeout: must be seconds or "90s", "15m", "1h", "2d" '
            '(0 = no limit), not "1 week"',
            "qsuper.toml: [job] max_attempts: must be a whole number from 1 to 1000, not true",
            "qsuper.toml: [log] levle: unknown key; did you mean [log] level?",
            "qsuper.toml: [[schedule]] 1 task: must be 1 to 190 printable characters without a "
            'space, not "a b"',
            "QSUPER_LOG__FORMTA: unknown key; did you mean QSUPER_LOG__FORMAT?",
            "QSUPER_JOB__TIMEOUTS: unknown key; did you mean QSUPER_JOB__TIMEOUT?",
            f'QSUPER_WEB__LISTEN: must be {known}, not "x"',
            "command line: [worker] batch: must be a whole number from 1 to 512, not 513",
        ]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("store = 3", "[store]: must be a table, not 3"),
        ("[queues]\nmail = 3", "[queues.mail]: must be a table, not 3"),
        ("watch = 3", "watch: must be tables that begin with [[watch]], not 3"),
        ("[[watch]]\npattern = 'a'", "[[watch]] 1 task: is missing; write 1 to 190"),
        ("[queues.a]\nworkers = { min = 3, max = 2 }", "[queues.a.workers]: min = 3 is above max"),
        ("[queues.a]\nworkers = { min = 3 }", "[queues.a.workers] max: is missing"),
        ("[queues.a]\nautoscale = { min = 1, max = 2 }", "[queues.a.autoscale]: unknown table"),
        ("[queues.a]\nworkers = -1", "[queues.a] workers: must be a whole number from 0 to 500"),
        ("[job]\nkeep_days = -1", "[job] keep_days: must be whole days from 0 to 36500"),
        ("[job]\nkeep_days = 'x'", "[job] keep_days: must be whole days"),
        ("[job]\nkeep_days = { gone = 1 }", "[job.keep_days] gone: unknown key; did you mean"),
        ("[job.backoff]\nbase = 9\ncap = 8", "[job.backoff]: base = 9 s is above cap = 8 s; raise"),
        ("[job]\nmax_param_bytes = '16MB'", "[job] max_param_bytes: must be bytes"),
        ("[worker]\nmax_age = nan", "[worker] max_age: must be seconds"),
        ("[worker]\nmax_age = -1", "[worker] max_age: must be seconds"),
        ("[worker]\nmax_age = 1979-05-27", "[worker] max_age: must be seconds"),
        ("[store]\nread_timeout = inf", "[store] read_timeout: must be from 1 second"),
        ("[store]\nconnect_timeout = 0", "[store] connect_timeout: must be from 1 second"),
        ("[store]\nurl = 'sqlite://'", "[store] url: must be"),
        ("[store]\nurl = 'sqlite:///:memory:'", "[store] url: must be"),
        ("[store]\nurl = 'mysql+pymysql://host'", "[store] url: must be"),
        ("[redis]\nurl = 'localhost:6379'", "[redis] url: must be"),
        ("[redis]\nurl = 'redis://localhost/shop'", "[redis] url: must be"),
        ("[redis]\nurl = 'redis://:a#b@localhost/1'", "[redis] url: must be"),
        ("[web]\nlisten = 'localhost:70000'", "[web]: listen = 'localhost:70000': a port is"),
        ("[tasks.a]\nprogram = 'php a.php'", "[tasks.a] program: must be a list of texts"),
        ("[tasks.a]\nprogram = []", "[tasks.a] program: must be a list of texts"),
        ("[tasks.a]\ncodec = 'pickle'", '[tasks.a] codec: must be "json", "query", "php" or "raw"'),
        ("app = 'shop.tasks'", 'app: must be "module:attribute"'),
        ("file = 'x'", "file: unknown key"),
        ("a = [", "is not TOML"),
        ("a = " + "[" * 99999, "is nested too deeply"),
    ],
)
def test_a_mistake_names_its_place_and_the_mend(text: str, words: str) -> None:
    assert only_problem(text).startswith(f"qsuper.toml: {words}")


def test_a_file_that_is_missing_a_folder_or_not_utf8_is_one_clear_line(folder: Path) -> None:
    missing = r"^gone\.toml: cannot be read: No such file or directory; check --config"
    with pytest.raises(ConfigError, match=missing):
        load(Path("gone.toml"), environ={})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(folder, environ={})
    Path("qsuper.toml").write_bytes(b'app = "\xff"')
    with pytest.raises(ConfigError, match="byte 7 is not UTF-8"):
        load(environ={})


def test_too_many_queues_or_workers_are_refused() -> None:
    many = "\n".join(f"[queues.q{number}]\nworkers = 1" for number in range(65))
    assert "65 queues are too many; have 64 at most" in only_problem(many)
    busy = "[queues.a]\nworkers = 400\n[queues.b]\nworkers = { min = 1, max = 101 }"
    assert "have 501 workers together; have 500 at most" in only_problem(busy)
    just = read("[queues.a]\nworkers = 400\n[queues.b]\nworkers = { min = 1, max = 100 }")
    assert just.queues["b"].workers == 1


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90", 90), ("1.5", 1.5), ('"90s"', 90), ('"15m"', 900), ('"1h"', 3600), ('"2d"', 172800)],
)
def test_durations_are_numbers_or_carry_a_unit(written: str, seconds: float) -> None:
    assert read(f"[job]\ntimeout = {written}").job.timeout == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [("5", 5), ('"64KB"', 65536), ('"1.5 mib"', 1572864), ('"3M"', 3 << 20), ('"7B"', 7)],
)
def test_sizes_are_bytes_or_carry_a_unit(written: str, size: int) -> None:
    assert read(f"[worker]\nmax_memory = {written}").worker.max_memory == size


def test_relative_paths_are_relative_to_the_file(folder: Path) -> None:
    Path("conf").mkdir()
    Path("conf/q.toml").write_text(
        """
        state_dir = "../state"
        [store]
        url = "sqlite:///data/jobs.db?timeout=5"
        [log]
        dir = "log"
        [tasks.a]
        program = ["a"]
        [tasks.b]
        program = ["b"]
        cwd = "/srv"
        """
    )
    config = load(Path("conf/q.toml"), environ={})
    assert config.folder == f"{folder}/conf"
    assert config.state_dir == f"{folder}/state"
    assert config.store.url == f"sqlite:///{folder}/conf/data/jobs.db?timeout=5"
    assert config.log.dir == f"{folder}/conf/log"
    assert config.tasks["a"].cwd == f"{folder}/conf"
    assert config.tasks["b"].cwd == "/srv"


def test_what_is_no_relative_path_stays_as_it_is() -> None:
    config = read('[log]\ndir = "-"\n[store]\nurl = "sqlite:////srv/jobs.db"')
    assert (config.log.dir, config.store.url) == ("-", "sqlite:////srv/jobs.db")
    assert read('[store]\nurl = "mysql+pymysql://u@h/d"').store.url == "mysql+pymysql://u@h/d"


def test_the_sqlite_file_follows_the_state_dir(folder: Path) -> None:
    assert read('state_dir = "s"').store.url == f"sqlite:///{folder}/s/qsuper.db"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql+pymysql://user:pw@host:3306/db", "mysql+pymysql://user:***@host:3306/db"),
        ("mysql://user:p@s/s:?@host/db", "mysql://user:***@host/db"),
        ("redis://:secret@host/0", "redis://:***@host/0"),
        ("mysql//user:pw@host/db", "mysql//user:***@host/db"),
        ("user:pw@host", "user:***@host"),
        ("mysql://h/d?a=1&password=x&b=2", "mysql://h/d?a=1&password=***&b=2"),
        ("mysql://h/d?ssl_key_password=x", "mysql://h/d?ssl_key_password=***"),
        ("redis://host:6379/15", "redis://host:6379/15"),
        ("mysql://user@host:3306/db", "mysql://user@host:3306/db"),
        ("sqlite:////a:b@c/q.db", "sqlite:////a:b@c/q.db"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_no_password_is_shown_by_a_mistake_a_description_or_a_repr() -> None:
    text = '[store]\nurl = "mysql://u:hush@h/d"\n[redis]\nurl = "redis://:hush@h/1"'
    config = read(text)
    assert "hush" in config.store.url
    assert "hush" not in f"{config}{config.describe()}"
    assert config.describe()["store"]["url"] == "mysql://u:***@h/d"
    assert "hush" not in only_problem("", {"QSUPER_STORE__URL": "mysql:/u:hush@h/d"})


def test_a_config_made_by_hand_is_held_to_the_same_rules() -> None:
    with pytest.raises(ValueError, match="raise cap or lower base"):
        BackoffConfig(base=2, cap=1)
    with pytest.raises(AttributeError):
        Config().app = "x:y"  # type: ignore[misc]


def every_key(kind: type[Table], place: str = "") -> set[str]:
    """`queues.*.workers` and its like for every key of a table and of those within it."""
    keys = set()
    for field in fields(kind):
        if field.name in kind.derived:
            continue
        inner, here = table_within(field.type), f"{place}{field.name}"
        many = ".*" if get_origin(_bare(field.type)) in (Mapping, tuple) else ""
        keys |= every_key(inner, f"{here}{many}.") if inner else {here}
    return keys


def _bare(kind: Any) -> Any:
    """Without the words."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def table_within(kind: Any) -> type[Table] | None:
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind
    return next((table for part in get_args(kind) if (table := table_within(part))), None)


def keys_of(values: Any, kind: type[Table] = Config, place: str = "") -> set[str]:
    """The same out of a parsed file."""
    keys = set()
    for name, value in values.items():
        if place in {"queues.", "tasks."}:
            keys |= keys_of(value, kind, f"{place}*.")
        elif isinstance(value, dict) and name != "interpreters":
            keys |= keys_of(value, kind, f"{place}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            keys |= keys_of(value[0], kind, f"{place}{name}.*.")
        else:
            keys.add(f"{place}{name}")
    return keys


def test_the_example_is_the_defaults() -> None:
    config = read(EXAMPLE.read_text())
    Path("qsuper.toml").unlink()
    assert replace(config, file=None) == load(environ={})


def test_the_example_with_nothing_commented_out_names_every_key() -> None:
    text = re.sub(r"(?m)^# (?=[a-z_]+ = |\[)", "", EXAMPLE.read_text())
    assert read(text).tasks["resize"].program == ("php", "resize.php")
    assert keys_of(tomllib.loads(text)) == every_key(Config)
    assert "queues.*.workers" in every_key(Config)


def test_the_configuration_imports_nothing_heavy() -> None:
    heavy = ("sqlalchemy", "click", "pydantic", "pymysql", "redis", "rich", "difflib", "asyncio")
    code = "import qsuper.config, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=EXAMPLE.parents[1],
    )
    loaded = set(done.stdout.split())
    assert "msgspec" in loaded
    assert not loaded & set(heavy)
