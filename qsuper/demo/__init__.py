"""`qsuper demo`: a real run, watched: a mailing, forked workers, and one of them killed."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from qsuper.errors import QsuperError

EXAMPLE = Path(__file__).parent / "example"
"""`examples/mailing` of the source tree; a wheel holds a copy of it."""


@click.command("demo")
@click.option(
    "--input",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=EXAMPLE,
    help="A folder with recipients.csv and messages.json; without it examples/mailing.",
)
@click.option("--keep", is_flag=True, help="Keep the temporary folder: database, logs, scoreboard.")
def main(folder: Path, keep: bool) -> int:
    """See it work: a mailing is sent by workers, one of which is killed in the middle of a job.

    Everything happens in a temporary folder: SQLite, a mail server on 127.0.0.1, and the same
    `qsuper run` that works in production. Takes some ten seconds; the exit code is 1 if any mail
    was lost.
    """
    if find_spec("aiosmtpd") is None:
        raise QsuperError("the demo needs aiosmtpd: `pip install aiosmtpd`, or run scripts/demo")
    from qsuper.demo.patience import Patience
    from qsuper.demo.screen import open_screen
    from qsuper.demo.story import play

    patience = Patience()
    temporary = Path(tempfile.mkdtemp(prefix="qsuper-demo-"))
    try:
        return play(folder, EXAMPLE, temporary, open_screen(), patience)
    finally:
        if keep:
            click.echo(f"kept: {temporary} (qsuper --config {temporary / 'qsuper.toml'} jobs)")
        else:
            shutil.rmtree(temporary, ignore_errors=True)
