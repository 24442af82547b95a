"""`qsuper demo`: a real run, watched, in two acts: a mailing, and orders that nobody pays."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from qsuper.errors import QsuperError

EXAMPLES = Path(__file__).parent / "examples"
"""`examples` of the source tree; a wheel holds a copy of it."""


@click.command("demo")
@click.option(
    "--input",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=EXAMPLES / "mailing",
    help="A folder with recipients.csv and messages.json; without it examples/mailing.",
)
@click.option("--keep", is_flag=True, help="Keep the temporary folder: databases, logs, orders.")
def main(folder: Path, keep: bool) -> int:
    """See it work: a mailing, unpaid orders, and a process killed in the middle of each.

    A mailing is sent by workers, one of which is killed in the middle of a job. Then another
    program takes orders and sets a Redis key for each, which expires; who has not paid by then is
    cancelled, although the listener is killed meanwhile.

    Everything happens in a temporary folder: SQLite, a mail server on 127.0.0.1, a Redis on a unix
    socket, and the same `qsuper run` that works in production. Takes some twenty seconds; the exit
    code is 1 if a mail was lost, or an order treated wrongly.
    """
    if find_spec("aiosmtpd") is None:
        raise QsuperError("the demo needs aiosmtpd: `pip install aiosmtpd`, or run scripts/demo")
    from qsuper.demo.patience import Patience
    from qsuper.demo.programme import play
    from qsuper.demo.screen import open_screen

    patience = Patience()
    temporary = Path(tempfile.mkdtemp(prefix="qsuper-demo-"))
    try:
        return play(folder, temporary, open_screen(), patience)
    finally:
        if keep:
            click.echo(f"kept: {temporary} (cd {temporary / 'mailing'} && qsuper jobs)")
        else:
            shutil.rmtree(temporary, ignore_errors=True)
