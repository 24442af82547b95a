"""The table of a PHP loop becomes qsuper's, with all its rows, while programs write to it."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import make_url

from qsuper.errors import SchemaError
from qsuper.states import State
from qsuper.store import claiming, schema
from qsuper.store.adopting import adoption, copying, names, rows
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Database
from tests.servers import MariaDB
from tests.store.old_queue import FORMS, OldQueue, connect
from tests.store.table import Table

UNIX = 1_700_000_000
DATE = "FROM_UNIXTIME(1700000000)"


@pytest.fixture
def old_queue(mariadb: MariaDB) -> Iterator[Callable[..., OldQueue]]:
    """Make a database with an old table of one form (none: without it)."""
    made: list[OldQueue] = []

    def make(form: str | None = "plain") -> OldQueue:
        made.append(OldQueue(mariadb.create_database(), form))
        return made[-1]

    yield make
    for one in made:
        one.close()
        mariadb.drop(one.url)


@pytest.fixture
def plain(old_queue: Callable[..., OldQueue]) -> OldQueue:
    return old_queue()


def columns(run: Callable[[str], Any]) -> list[str]:
    """The table as the server describes it, without what adoption adds."""
    lines = str(run("SHOW CREATE TABLE queue")[0][1]).splitlines()
    text = "\n".join(
        sorted(
            line.rstrip(",") for line in lines if not re.match(r"\s+`(taskphp|shop_id|note)`", line)
        )
    )
    return re.sub(r" AUTO_INCREMENT=\d+| DEFAULT coalesce\(`taskphp`,''\)", "", text).splitlines()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_old_table_becomes_the_table_that_a_first_start_makes(
    form: str, old_queue: Callable[..., OldQueue], mysql_table: Table
) -> None:
    old = old_queue(form)
    waiting = old.add("a.php", "uid=4&uids[]=6&")
    done = old.add("b.php", "uid=5&", status=1)
    strange = old.add("c.php", "", status=7)
    assert old.adopt() == 3

    connection = old.database.connect()
    schema.check(connection)
    assert columns(old.run) == columns(mysql_table.read)
    assert old.run("SELECT id, task, taskphp, param, status, priority, name FROM queue") == [
        (waiting, "a.php", "a.php", "uid=4&uids[]=6&", State.READY, 0, None),
        (done, "b.php", "b.php", "uid=5&", State.DONE, 0, None),
        (strange, "c.php", "c.php", "", State.DEAD, 0, None),
    ]
    new = old.add("d.php", "uid=6&")
    assert new > strange
    claimed = claiming.claim(connection, queue="default", worker="boot-1", most=10).jobs
    assert [(job.id, job.task, job.param) for job in claimed] == [
        (waiting, "a.php", "uid=4&uids[]=6&"),
        (new, "d.php", "uid=6&"),
    ]
    assert old.run("SELECT COUNT(*) FROM queue_before_qsuper") == [(3,)]
    assert old.find() is None, "a second adoption finds nothing to do"
    assert {row[0] for row in old.run("SHOW TABLES")} == names.OURS | {names.OLD, names.BACKUP}
    connection.close()


def test_columns_of_the_shop_s_own_are_kept(old_queue: Callable[..., OldQueue]) -> None:
    old = old_queue("bytes, whole numbers, columns of the shop's")
    first = old.add(shop_id=5, note="汉")
    old.adopt()
    second = old.add(shop_id=6)
    assert old.run("SELECT id, shop_id, note FROM queue") == [
        (first, 5, "汉"),
        (second, 6, "none"),
    ]


@pytest.mark.parametrize("zone", ["SYSTEM", "+05:00"])
def test_dates_are_the_same_moments_whatever_type_they_had(
    zone: str, own_mariadb: Callable[..., MariaDB]
) -> None:
    server = own_mariadb(default_time_zone=zone)
    for form, ctime, mtime in (
        ("plain", DATE, None),
        ("bigint, mtime, priority, MyISAM", DATE, str(UNIX + 60)),
        ("latin1, dates", DATE, f"{DATE} + INTERVAL 60 SECOND"),
        ("bytes, whole numbers, columns of the shop's", str(UNIX), str(UNIX + 60)),
    ):
        old = OldQueue(server.create_database(), form)
        more, value = ("", "") if mtime is None else (", mtime", f", {mtime}")
        old.run(
            f"INSERT INTO queue (taskphp, param, status, ctime{more})"
            f" VALUES ('a', '', 0, {ctime}{value}), ('a', '', 1, {ctime}{value})"
        )
        old.adopt()
        later = UNIX if mtime is None else UNIX + 60
        assert (
            old.run(
                "SELECT UNIX_TIMESTAMP(ctime), UNIX_TIMESTAMP(run_at), UNIX_TIMESTAMP(mtime)"
                " FROM queue"
            )
            == [(UNIX, UNIX, later)] * 2
        )
        old.close()


def test_dates_that_are_none_become_the_next_best(old_queue: Callable[..., OldQueue]) -> None:
    """Zero dates, NULL and 0: nothing is refused; no date is later than the column can hold."""
    old = old_queue("latin1, dates")
    old.run("SET sql_mode = ''")
    old.add(ctime="0000-00-00", mtime="0000-00-00")
    old.add(ctime=None, mtime=None)
    old.add(ctime="2500-01-01", mtime=None)
    old.adopt()
    assert old.run(
        "SELECT COUNT(*) FROM queue WHERE run_at <= NOW(6)"
        " AND UNIX_TIMESTAMP(ctime) > UNIX_TIMESTAMP() - 3600 AND UNIX_TIMESTAMP(mtime) > 0"
    ) == [(3,)]
    numbers = old_queue("bytes, whole numbers, columns of the shop's")
    numbers.add(ctime=0, mtime=0)
    numbers.add(ctime=2**31 - 1, mtime=-5)
    numbers.adopt()
    assert numbers.run("SELECT COUNT(*) FROM queue WHERE run_at <= NOW(6)") == [(2,)]


@pytest.mark.parametrize("kept", ["ü€汉".encode(), "grün".encode("latin1"), b"plain", None])
def test_a_latin1_column_s_text_arrives_as_it_was_meant(
    kept: bytes | None, old_queue: Callable[..., OldQueue]
) -> None:
    """PHP puts UTF-8 into latin1 columns byte for byte; others put latin1 there."""
    form = "latin1, dates" if kept is not None else "plain"
    old = old_queue(form)
    old.run("INSERT INTO queue (taskphp, param) VALUES ('a', CONVERT(%s USING latin1))", kept)
    old.adopt()
    text = None if kept is None else {b"gr\xfcn": "grün"}.get(kept) or kept.decode()
    assert old.run("SELECT param FROM queue") == [(text,)]


def test_any_bytes_of_a_blob_arrive_as_text(old_queue: Callable[..., OldQueue]) -> None:
    old = old_queue("bytes, whole numbers, columns of the shop's")
    anything = bytes(range(1, 256))
    old.run("INSERT INTO queue (taskphp, param) VALUES ('a', %s), ('b', NULL)", anything)
    old.adopt()
    ((param,), (null,)) = old.run("SELECT param FROM queue")
    assert len(param) == 255
    assert null is None


def test_old_priorities_keep_their_meaning_in_rows_and_in_writers(
    old_queue: Callable[..., OldQueue],
) -> None:
    """Where larger numbers were first, what the old programs write is turned; qsuper's is not."""
    for larger_first, sign in ((False, 1), (True, -1)):
        old = old_queue("bigint, mtime, priority, MyISAM")
        for priority in (5, None, 70_000, -70_000):
            old.add(priority=priority)
        old.adopt(larger_first=larger_first)
        kept = [row[0] for row in old.run("SELECT priority FROM queue ORDER BY id")]
        assert kept == ([-5, 0, -32767, 32767] if larger_first else [5, 0, 32767, -32768])
        later = old.add(priority=6)
        assert old.run("SELECT priority FROM queue WHERE id = %s", later) == [(sign * 6,)]
        old.run("INSERT INTO queue (task, priority) VALUES ('new', 6)")
        assert old.run("SELECT priority FROM queue WHERE task = 'new'") == [(6,)]
        assert old.run("SELECT priority FROM queue WHERE id = 1") == [(sign * 5,)]


@pytest.mark.parametrize("mode", ["STRICT_TRANS_TABLES", "", "ANSI"])
def test_the_old_programs_go_on_inserting_in_all_their_ways(mode: str, plain: OldQueue) -> None:
    plain.adopt()
    plain.run(f"SET sql_mode = '{mode}'")
    plain.run("INSERT INTO queue (taskphp, param) VALUES ('a', '1'), ('b', '2'), ('c', '3')")
    plain.run("INSERT INTO queue (param, taskphp, status) VALUES ('4', 'd', 0)")
    plain.run("INSERT INTO queue SET taskphp = 'e', param = '5', ctime = NOW()")
    plain.run("INSERT INTO queue (taskphp, param) SELECT 'f', '6'")
    plain.run("INSERT INTO queue (task, param) VALUES ('g', '7')")
    assert plain.run("SELECT task, param, status FROM queue ORDER BY id") == [
        (letter, str(number), 0) for number, letter in enumerate("abcdefg", 1)
    ]


def test_a_name_keeps_out_the_doubles_that_a_unique_index_has_kept_out(plain: OldQueue) -> None:
    """As docs/adopting.md tells."""
    plain.run("ALTER TABLE queue ADD UNIQUE once (taskphp, param(50))")
    plain.adopt()
    for name in ("", "", ", CONCAT('a:', MD5('1'))", ", CONCAT('a:', MD5('1'))"):
        columns = "taskphp, param, name" if name else "taskphp, param"
        plain.run(f"INSERT IGNORE INTO queue ({columns}) VALUES ('a', '1'{name})")
    assert plain.run("SELECT COUNT(*), COUNT(name) FROM queue") == [(3, 1)]


def test_a_reader_that_was_forgotten_loses_no_row(plain: OldQueue) -> None:
    """As docs/adopting.md tells: its Unix time is refused, or is no date; the row stays."""
    strict, lax = plain.add(), plain.add()
    plain.adopt()
    update = "UPDATE queue SET status = 1, mtime = UNIX_TIMESTAMP() WHERE id = %s"
    plain.run("SET sql_mode = 'STRICT_TRANS_TABLES'")
    with pytest.raises(pymysql.MySQLError, match="Incorrect datetime value"):
        plain.run(update, strict)
    plain.run("SET sql_mode = ''")
    plain.run(update, lax)
    assert plain.run("SELECT id, status, mtime = 0 FROM queue") == [(strict, 0, 0), (lax, 1, 1)]


def test_names_that_must_be_free_are_those_of_the_newest_version(mysql_table: Table) -> None:
    assert {row[0] for row in mysql_table.read("SHOW TABLES")} == names.OURS | {"queue"}
    assert {row[0] for row in mysql_table.read("SHOW COLUMNS FROM queue")} == names.OUR_COLUMNS


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("DROP TABLE queue", "has no table `queue` to adopt: `qsuper db upgrade` makes one"),
        ("ALTER TABLE queue DROP taskphp, DROP param", "neither qsuper's nor the old one: it has"),
        ("ALTER TABLE queue MODIFY status VARCHAR(9)", r"`status` of `queue` is varchar\(9\): mak"),
        ("ALTER TABLE queue MODIFY id INT, DROP PRIMARY KEY", "is not its primary key: make it"),
        (
            "ALTER TABLE queue ADD worker INT NULL",
            "`worker` of `queue` has a name that qsuper uses",
        ),
        ("ALTER TABLE queue ADD x INT NOT NULL", "`x` of `queue` must be given by every INSERT"),
        (
            "ALTER TABLE queue ADD x INT AS (status % 2) STORED",
            "`x` of `queue` cannot be carried over",
        ),
        ("CREATE TABLE limits (id INT)", "are there already: rename or drop limits first"),
        ("CREATE TABLE queue_before_qsuper (id INT)", "rename or drop queue_before_qsuper first"),
        ("CREATE TRIGGER t BEFORE INSERT ON queue FOR EACH ROW SET @a = 1", "triggers.*drop t fir"),
        (
            "CREATE TABLE sent (q INT, FOREIGN KEY (q) REFERENCES queue (id)) ENGINE=InnoDB",
            "drop those of sent first",
        ),
        (
            "RENAME TABLE queue TO real_queue; CREATE VIEW queue AS SELECT * FROM real_queue",
            "is a view: adopt the table itself",
        ),
        (
            "ALTER TABLE queue MODIFY taskphp VARCHAR(255);"
            " INSERT INTO queue (taskphp) VALUES (REPEAT('x', 191))",
            "1 rows name a program in more than 190 letters",
        ),
        ("UPDATE queue SET id = 0", "smallest id of `queue` is 0, and qsuper's begin at 1"),
        ("UPDATE queue SET id = -7", "smallest id of `queue` is -7, and qsuper's begin at 1"),
        (
            "ALTER TABLE queue MODIFY id BIGINT UNSIGNED AUTO_INCREMENT;"
            f" UPDATE queue SET id = {2**63 + 5}",
            f"of `queue` have come to {2**63 + 6}, which leaves none for new rows: give rows above",
        ),
        (
            f"ALTER TABLE queue MODIFY id BIGINT; UPDATE queue SET id = {rows.ID_MOST + 1}",
            f"of `queue` have come to {rows.ID_MOST + 1}, which",
        ),
        (
            "ALTER TABLE queue MODIFY id BIGINT AUTO_INCREMENT;"
            f" ALTER TABLE queue AUTO_INCREMENT = {rows.ID_MOST + 1}",
            f"of `queue` have come to {rows.ID_MOST + 1}, which",
        ),
        (
            "ALTER TABLE queue ADD sub INT NOT NULL DEFAULT 0, DROP PRIMARY KEY,"
            " ADD PRIMARY KEY (id, sub); INSERT INTO queue (id, sub) SELECT id, 1 FROM queue",
            "2 rows of `queue` have the id 1, .*: make `id` alone the primary key first",
        ),
        (
            "ALTER TABLE queue MODIFY param LONGTEXT;"
            f" INSERT INTO queue (param) VALUES (REPEAT('x', {rows.PARAM_MOST + 1}))",
            r"1 rows of `queue` have a param of more than 16,777,215 .*first is id 2\): shorten",
        ),
        (
            "ALTER TABLE queue MODIFY param LONGBLOB;"
            f" INSERT INTO queue (param) VALUES (REPEAT('x', {rows.PARAM_MOST + 1}))",
            "1 rows of `queue` have a param of more",
        ),
        (
            "ALTER TABLE queue MODIFY param MEDIUMTEXT CHARACTER SET latin1;"
            " INSERT INTO queue (param) VALUES (REPEAT(_latin1 0xfc, 9000000))",
            "1 rows of `queue` have a param of more",
        ),
        (
            "ALTER TABLE queue ADD mark VARBINARY(9) DEFAULT 0x00ff",
            r"default in `queue` is bytes that are no text \(mark\): ALTER the column",
        ),
    ],
)
def test_what_cannot_be_adopted_is_refused_with_a_reason_and_left_as_it_is(
    spoil: str, words: str, plain: OldQueue
) -> None:
    plain.add()
    for statement in spoil.split("; ") if "VIEW" in spoil else spoil.split(";"):
        plain.run(statement)
    before = plain.run("SHOW TABLES")
    with pytest.raises(SchemaError, match=words) as caught:
        plain.find()
    assert "\n" not in str(caught.value)
    assert plain.run("SHOW TABLES") == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE queue MODIFY id BIGINT UNSIGNED AUTO_INCREMENT;"
        f" UPDATE queue SET id = {rows.ID_MOST - 1}",
        "ALTER TABLE queue ADD sub INT NOT NULL DEFAULT 0, DROP PRIMARY KEY,"
        " ADD PRIMARY KEY (id, sub)",
        "ALTER TABLE queue MODIFY param LONGTEXT;"
        f" UPDATE queue SET param = REPEAT('x', {rows.PARAM_MOST})",
        "ALTER TABLE queue MODIFY param LONGBLOB;"
        " UPDATE queue SET param = CONVERT(REPEAT('ü', 8000000) USING utf8mb4)",
        "ALTER TABLE queue MODIFY param BLOB DEFAULT 0x00ff",
    ],
)
def test_what_just_fits_is_adopted_and_leaves_room_for_new_rows(
    change: str, plain: OldQueue
) -> None:
    plain.add()
    for statement in change.split(";"):
        plain.run(statement)
    before = plain.run("SELECT id, MD5(param) FROM queue")
    assert plain.adopt() == 1
    assert plain.run("SELECT id, MD5(param) FROM queue") == before
    assert plain.add() > before[0][0]


def test_a_row_that_came_too_late_to_be_refused_is_named_and_can_be_mended(
    plain: OldQueue,
) -> None:
    """It was written between the look and the switch."""
    plain.add()
    plan = plain.find()
    assert plan is not None
    plain.run("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    plain.add(id=0)
    with pytest.raises(SchemaError, match="could not be copied"):
        plan.run(plain.database, larger_first=False, tell=lambda _copied: None)
    with pytest.raises(SchemaError, match="smallest id of `queue_before_qsuper` is 0, and"):
        plain.find()
    plain.run("DELETE FROM queue_before_qsuper WHERE id = 0")
    assert plain.adopt() == 1


def test_what_a_failed_upgrade_left_behind_is_no_obstacle(plain: OldQueue) -> None:
    """An empty alembic_version: of those that are not empty somebody may have need."""
    plain.add()
    plain.run("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    plan = plain.find()
    assert plan is not None
    assert plan.statements(larger_first=False)[0] == "DROP TABLE alembic_version"
    plain.run("INSERT INTO alembic_version VALUES ('somebody')")
    with pytest.raises(SchemaError, match="since this plan: run it again"):
        plan.run(plain.database, larger_first=False, tell=lambda _copied: None)
    with pytest.raises(SchemaError, match="there already: rename or drop alembic_version first"):
        plain.find()
    plain.run("DELETE FROM alembic_version")
    assert plain.adopt() == 1
    assert plain.run("SELECT version_num FROM alembic_version") == [(schema.VERSIONS[-1],)]


def test_an_upgrade_between_two_attempts_leaves_the_adoption_to_the_next(
    plain: OldQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain.add()
    monkeypatch.setattr(adoption, "_switch", _cut_off)
    with pytest.raises(KeyboardInterrupt):
        plain.adopt()
    monkeypatch.undo()
    before = plain.run("SHOW TABLES")
    with pytest.raises(SchemaError, match="was cut off: run `qsuper db adopt` again"):
        schema.upgrade(plain.database)
    assert plain.run("SHOW TABLES") == before
    assert plain.adopt() == 1


def _cut_off(_connection: object) -> None:
    raise KeyboardInterrupt


def test_indexes_that_forbid_doubles_are_told_from_others(plain: OldQueue) -> None:
    plain.run(
        "ALTER TABLE queue ADD UNIQUE once (taskphp, param(50)), ADD UNIQUE with_id (status, id)"
    )
    found = plain.find()
    assert found is not None
    assert {index.name: (index.columns, index.forbids_doubles) for index in found.old.indexes} == {
        "ctime": ("ctime", False),
        "once": ("taskphp, param", True),
        "with_id": ("status, id", False),
    }


def test_a_sqlite_file_is_refused(tmp_path: Path) -> None:
    connection = Database(f"sqlite:///{tmp_path}/shop.db").connect()
    with pytest.raises(SchemaError, match=r"store\.url names a SQLite file"):
        adoption.Adoption.find(connection)
    connection.close()


def test_an_id_is_not_given_twice(plain: OldQueue) -> None:
    """Not even one whose row was deleted."""
    last = plain.add()
    plain.run("ALTER TABLE queue AUTO_INCREMENT = 500000")
    plain.run("DELETE FROM queue WHERE id = %s", last)
    plain.adopt()
    assert plain.add() >= 500_000


def test_a_transaction_that_is_left_open_stops_the_switch_and_holds_up_nobody_for_long(
    plain: OldQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "SWITCH_TRIES", 2)
    monkeypatch.setattr(adoption, "SWITCH_PAUSE", 0.0)
    plain.add()
    other = connect(plain.url, autocommit=False)
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO queue (taskphp) VALUES ('late.php')")
    with pytest.raises(StoreBusy, match="keeps a transaction open on `queue`: end it, and run"):
        plain.adopt()
    assert plain.run("SELECT COUNT(*) FROM queue") == [(1,)], "the old table serves on"
    other.commit()
    other.close()
    assert plain.adopt() == 2
    assert plain.run("SELECT task FROM queue") == [("send_msg.php",), ("late.php",)]


def die_before(statement: int) -> None:
    """From now on the process kills itself before this one of its statements."""
    execute, count = pymysql.cursors.Cursor.execute, 0

    def counted(self: Any, *args: Any) -> int:
        nonlocal count
        count += 1
        if count > statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, *args)

    setattr(pymysql.cursors.Cursor, "execute", counted)  # noqa: B010 - it is overloaded


def adopt_and_die(old: OldQueue, statement: int) -> bool:
    """Adopt in another process; whether it was killed before this statement of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            die_before(statement)
            old.adopt(larger_first=True)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or os.waitstatus_to_exitcode(status) == 0
    return killed


def test_an_adoption_that_is_killed_before_any_of_its_statements_is_ended_by_the_next(
    old_queue: Callable[..., OldQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And writers find the table all the time."""
    monkeypatch.setattr(copying, "STEP", 2)
    statement = 0
    while True:
        old = old_queue("bigint, mtime, priority, MyISAM")
        expected = [(old.add(param=str(number), status=number % 2),) for number in range(5)]
        killed = adopt_and_die(old, statement)
        expected.append((old.add(param="written between the two"),))
        if killed:
            old.adopt(larger_first=True)
        assert old.run("SELECT id FROM queue ORDER BY id") == expected
        assert old.run("SELECT COUNT(*) FROM queue WHERE task = 'send_msg.php'") == [(6,)]
        assert old.find() is None
        if not killed:
            break
        statement += 1
    assert statement > 60, "statements of one adoption"


def test_a_row_that_was_pruned_before_the_next_attempt_does_not_come_back(
    plain: OldQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far the copying came is committed with the rows, and not told by what is there."""
    monkeypatch.setattr(copying, "STEP", 2)
    for number in range(6):
        plain.add(param=str(number))
    seen: list[int] = []

    def tell(copied: int) -> None:
        seen.append(copied)
        if copied == 4:
            raise KeyboardInterrupt

    found = plain.find()
    assert found is not None
    with pytest.raises(KeyboardInterrupt):
        found.run(plain.database, larger_first=False, tell=tell)
    plain.run("DELETE FROM queue WHERE param IN ('0', '3')")
    again = plain.find()
    assert again is not None
    assert (again.begun, again.switched, again.old.rows) == (True, True, 6)
    assert not any("RENAME" in line for line in again.statements(larger_first=False))
    plain.adopt()
    assert plain.run("SELECT param FROM queue") == [("1",), ("2",), ("4",), ("5",)]
    assert seen == [2, 4]


def test_of_two_adoptions_at_once_one_does_it_and_the_other_changes_nothing(
    plain: OldQueue,
) -> None:
    ids = [plain.add() for _ in range(5)]
    plans = [plain.find(), plain.find()]
    with ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(
                plan.run, Database(plain.url), larger_first=False, tell=lambda _copied: None
            )
            for plan in plans
            if plan is not None
        ]
    (refusal,) = [run.exception() for run in runs if run.exception() is not None]
    assert "another `qsuper db adopt` has been at work since this plan" in str(refusal)
    assert [row[0] for row in plain.run("SELECT id FROM queue ORDER BY id")] == ids
    assert plain.find() is None


def test_the_rights_that_are_documented_are_enough(own_mariadb: Callable[..., MariaDB]) -> None:
    server = own_mariadb(log_bin=1, log_bin_trust_function_creators=1)
    old = OldQueue(server.create_database(), "latin1, dates")
    old.add(priority=5)
    text = (Path(__file__).parents[2] / "docs" / "adopting.md").read_text()
    (rights,) = re.findall(r"The account needs ((?:[A-Z]+,\s)+[A-Z]+)", text)
    database = make_url(old.url).database
    old.run("CREATE USER shop IDENTIFIED BY 'secret'")
    old.run(f"GRANT {rights}, TRIGGER ON {database}.* TO shop")
    url = make_url(old.url).set(username="shop", password="secret")
    account = OldQueue(url.render_as_string(hide_password=False), None)
    assert account.adopt(larger_first=True) == 1
    assert account.run("SELECT priority FROM queue") == [(-5,)]
    for one in (old, account):
        one.close()


def test_waiting_rows_go_first(plain: OldQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "STEP", 1)
    plain.add(status=1)
    waiting = plain.add()
    found = plain.find()
    assert found is not None
    first: list[Any] = []

    def tell(copied: int) -> None:
        if copied == 1 and not first:
            first.extend(plain.run("SELECT id FROM queue"))

    found.run(plain.database, larger_first=False, tell=tell)
    assert first == [(waiting,)]


def test_the_way_back_that_is_documented_loses_nothing(plain: OldQueue) -> None:
    """The SQL of docs/adopting.md, word for word."""
    done, waiting, run_since = plain.add(status=1), plain.add(), plain.add()
    plain.adopt()
    new, new_done = plain.add("new.php"), plain.add("new.php")
    plain.run("UPDATE queue SET status = 1 WHERE id IN (%s, %s)", run_since, new_done)
    plain.run("DELETE FROM queue WHERE id = %s", done)
    text = (Path(__file__).parents[2] / "docs" / "adopting.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    for statement in filter(str.strip, block.split(";")):
        plain.run(statement)
    assert plain.run("SELECT id, taskphp, status FROM queue ORDER BY id") == [
        (done, "send_msg.php", 1),
        (waiting, "send_msg.php", 0),
        (run_since, "send_msg.php", 1),
        (new, "new.php", 0),
        (new_done, "new.php", 1),
    ]
    plain.run("DROP TABLE queue_of_qsuper")
    assert plain.adopt() == 5, "and it can be adopted again"
