"""What runs inside a child. A further kind of child is one file here and one line in `KINDS`."""

from functools import partial

from qsuper.place import Kind, Place
from qsuper.redis.address import EMBEDDED
from qsuper.roles import redis, web
from qsuper.roles.keeper import Keeper
from qsuper.roles.one_pass import OnePass
from qsuper.roles.role import enter
from qsuper.roles.scheduler import Scheduler
from qsuper.roles.worker import Worker
from qsuper.slices import Slice


def listen(place: Place) -> int:
    """The listener's `main`: redis-py is for those who have a Redis."""
    from qsuper.roles.listener import Listener

    return enter(Listener, place)


def alert(place: Place) -> int:
    """The `main` of the child that tells: for those who want to be told."""
    from qsuper.roles.alerts import Alerts

    return enter(Alerts, place)


KINDS: tuple[Kind, ...] = (
    Kind("worker", partial(enter, Worker), per_queue=True),
    Kind("scheduler", partial(enter, Scheduler), stops_last=True),
    Kind("keeper", partial(enter, Keeper), stops_last=True),
    Kind(
        "redis",
        redis.serve,
        stops_last=True,
        reloads=False,
        wanted=lambda config: config.redis.url == EMBEDDED,
    ),
    Kind("listener", listen, wanted=lambda config: config.redis.url is not None),
    Kind(
        "alerts",
        alert,
        wanted=lambda config: bool(config.alerts.command or config.alerts.webhook),
    ),
    Kind("web", web.serve, stops_last=True, wanted=lambda config: config.web.listen is not None),
)
"""The children of `qsuper run`."""


def pass_kinds(mine: Slice, limit: int) -> tuple[Kind, ...]:
    """The one child of `qsuper work`: a pass over one slice, at most `limit` jobs, then the end."""
    return (Kind("worker", partial(enter, partial(OnePass, mine, limit)), per_queue=True),)
