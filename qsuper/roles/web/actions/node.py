"""What is done to a queue, to this node, and to its children."""

from qsuper.errors import QsuperError
from qsuper.roles.web.actions.action import Done
from qsuper.roles.web.fields import Fields
from qsuper.roles.web.site import Site
from qsuper.store import counting, pausing


def pause_queue(site: Site, fields: Fields) -> Done:
    """On every node."""
    return _set_paused(site, fields.needed("queue"), paused=True)


def resume_queue(site: Site, fields: Fields) -> Done:
    return _set_paused(site, fields.needed("queue"), paused=False)


def pause(site: Site, _fields: Fields) -> Done:
    """This node begins nothing more."""
    site.ask("pause")
    return Done("this node is paused: it begins no more jobs")


def resume(site: Site, _fields: Fields) -> Done:
    site.ask("resume")
    return Done("this node goes on")


def scale(site: Site, fields: Fields) -> Done:
    """Have so many workers of a queue from now on, or as many as the configuration says."""
    queue = fields.needed("queue")
    wanted = site.ask("scale", queue=queue, workers=fields.workers())["wanted"]
    count = wanted[queue]
    return Done(f"queue {queue} is to have {count} worker{'s' * (count != 1)}", {"wanted": wanted})


def restart(site: Site, fields: Fields) -> Done:
    """Give one child a fresh process."""
    name = fields.needed("name")
    site.ask("restart", name=name)
    return Done(f"{name} is being restarted")


def reload(site: Site, _fields: Fields) -> Done:
    """Load configuration and application anew."""
    site.ask("reload")
    return Done("reloading: the children are replaced one by one")


def _set_paused(site: Site, queue: str, *, paused: bool) -> Done:
    """A queue that the configuration names or that has rows."""
    with site.connection() as connection:
        known = {
            *site.config.queues,
            *counting.queue_names(connection),
            *pausing.paused_queues(connection),
        }
        if queue not in known:
            raise QsuperError(f"there is no queue {queue!r}; known: {', '.join(sorted(known))}")
        pausing.set_paused(connection, queue, paused)
    how = "is paused" if paused else "goes on"
    return Done(f"queue {queue} {how} on every node", {"queue": queue, "paused": paused})
