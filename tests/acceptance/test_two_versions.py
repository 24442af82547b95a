"""A deploy: the tables are upgraded while the old programs work, the new ones join, the old go."""

import shutil
import textwrap
from pathlib import Path

from tests.acceptance.daemon import TOP, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.rows import Rows

NEXT = "0999"


def make_next_version(folder: Path, kind: str, oldest: str = "") -> Path:
    """The package as its next version might be: one migration more, which adds a column."""
    shutil.copytree(TOP / "qsuper", folder / "qsuper", ignore=shutil.ignore_patterns("__pycache__"))
    schema = folder / "qsuper/store/schema.py"
    before = schema.read_text()
    line = next(line for line in before.splitlines() if line.startswith("VERSIONS = ("))
    last = line.rpartition('"')[0].rpartition('"')[2]
    schema.write_text(before.replace(line, line.replace(")", f', "{NEXT}")')))
    column = "TEXT" if kind == "sqlite" else "VARCHAR(20)"
    migration = f'''
        from alembic import op

        revision, down_revision = "{NEXT}", "{last}"
        branch_labels = depends_on = None


        def upgrade():
            bind = op.get_bind()
            bind.exec_driver_sql("ALTER TABLE queue ADD COLUMN colour {column} DEFAULT 'red'")
            bind.exec_driver_sql("UPDATE compatible SET oldest = '{oldest or last}'")
    '''
    versions = folder / "qsuper/store/migrations/versions"
    (versions / f"v{NEXT}_next.py").write_text(textwrap.dedent(migration))
    return folder


def as_next(daemon: Daemon, folder: Path, version: Path) -> Daemon:
    """A daemon of that version over the same database, with a state directory of its own."""
    folder.mkdir()
    found = Daemon(folder, daemon.url)
    found.journal = daemon.journal
    found.environ = {**daemon.environ, "PYTHONPATH": f"{version}:{TOP}"}
    return found


def test_the_old_version_works_on_while_the_new_one_comes(
    daemon: Daemon, rows: Rows, folder: Path, figures: Figures
) -> None:
    load = Load(rows)
    load.add(600)
    daemon.start()
    wait_for_progress(daemon)
    new = as_next(daemon, folder / "new", make_next_version(folder / "next", rows.kind))
    try:
        upgraded = new.cli("db", "upgrade")
        assert f"to {NEXT}" in upgraded.stdout, upgraded.stderr
        wait_for_progress(daemon)
        # Whoever of the old version starts now, a crashed worker or a command, works on, too.
        daemon.kill(daemon.workers()[0])
        assert daemon.cli("jobs").returncode == 0
        load.top_up(400)
        old_workers = {run.pid for run in daemon.runs()}
        new.start()
        wait_for_progress(new, 400)
        assert daemon.stop() == 0
        load.add(200)
        new.wait_until(lambda: rows.count(0, 2, 4) == 0, "all is done", 300)
        new_workers = {run.pid for run in new.runs()} - old_workers
        figures(workers_of_the_old=len(old_workers), of_the_new=len(new_workers))
        assert len(new_workers) >= 4
        load.judge(new, figures)
        assert new.stop() == 0
    finally:
        new.clean_up()


def test_the_old_version_refuses_tables_that_serve_it_no_more(
    daemon: Daemon, rows: Rows, folder: Path
) -> None:
    version = make_next_version(folder / "next", rows.kind, oldest=NEXT)
    new = as_next(daemon, folder / "new", version)
    assert new.cli("db", "upgrade").returncode == 0
    refused = daemon.cli("jobs")
    assert refused.returncode == 1
    assert f"are at version {NEXT}, newer than this qsuper knows" in refused.stderr
