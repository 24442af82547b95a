"""What is done to a schedule."""

import subprocess
import sys

import msgspec

from qsuper.errors import QsuperError
from qsuper.roles.scheduling import Scheduling
from qsuper.roles.web.actions.action import Done
from qsuper.roles.web.fields import Fields
from qsuper.roles.web.site import Site
from qsuper.tasks.registry import Registry

_PATIENCE = 60.0
"""Seconds that the import of an application may take."""


def run(site: Site, fields: Fields) -> Done:
    """Make one job of it now.

    The param is the application's to say, and the dashboard imports none: the verb does that.
    """
    name = fields.needed("name")
    config = ("--config", site.config.file) if site.config.file else ()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "qsuper", *config, "cron", "run", "--", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise QsuperError(f"the application took more than {_PATIENCE:g} s to load") from None
    if ended.returncode:
        raise QsuperError(ended.stderr.strip().removeprefix("Error: ")[:500])
    job_id = int(ended.stdout.split()[-1])
    return Done(f"schedule {name}: job {job_id} was made", {"id": job_id})


def pause(site: Site, fields: Fields) -> Done:
    """Have it make no jobs, on any host."""
    return _set_paused(site, fields.needed("name"), paused=True)


def resume(site: Site, fields: Fields) -> Done:
    return _set_paused(site, fields.needed("name"), paused=False)


def _set_paused(site: Site, name: str, *, paused: bool) -> Done:
    """Needs no more than the table's row."""
    scheduling = Scheduling(msgspec.structs.replace(site.config, schedule=()), Registry())
    with site.connection() as connection:
        if not scheduling.set_paused(connection, name, paused):
            raise QsuperError(f"there is no schedule {name!r}")
    how = "is paused" if paused else "goes on"
    return Done(f"schedule {name} {how}", {"name": name, "paused": paused})
