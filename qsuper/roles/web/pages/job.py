"""One job: all there is to know of it."""

from typing import Any

from qsuper.errors import NoSuchJob
from qsuper.picture import Child, Picture
from qsuper.roles.web.fields import ID_MOST
from qsuper.roles.web.page import Fields
from qsuper.roles.web.showing.wording import pretty
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED, State
from qsuper.store import attempts, bulk, listing
from qsuper.store.explaining import explain

TEXT_MOST = 100_000
"""Letters of one value that are shown."""
ATTEMPTS_MOST = 50
"""Attempts that did not succeed, of which the newest are shown."""
_TEXTS = ("param", "result", "headers", "resume_state")


def load(site: Site, path: Fields, _: Fields) -> dict[str, Any]:
    job_id = int(path["id"])
    if job_id > ID_MOST:
        raise NoSuchJob(f"there is no job {job_id}")
    with site.connection() as connection:
        why = explain(connection, job_id)
        past = attempts.newest(connection, job_id, ATTEMPTS_MOST)
        count = attempts.count(connection, job_id) if len(past) == ATTEMPTS_MOST else len(past)
    job = listing.one(site.database, job_id)
    state = State[job["state"].upper()]
    texts = {name: _text(job[name]) for name in _TEXTS if job[name] is not None}
    return {
        "job": job,
        "why": why,
        "attempts": past,
        "attempts_count": count,
        "state": state,
        "texts": {name: text[:TEXT_MOST] for name, text in texts.items()},
        "pretty": {name: pretty(text) for name, text in texts.items() if len(text) <= TEXT_MOST},
        "left_out": {name: max(0, len(text) - TEXT_MOST) for name, text in texts.items()},
        "child": _child(site.picture(), job_id),
        "finished": state in FINISHED,
        "waits": state in bulk.WAITING,
    }


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _child(picture: Picture, job_id: int) -> Child | None:
    """The worker of this node that runs it."""
    return next((one for one in picture.children if one.job and one.job.id == job_id), None)
