"""Puts the dashboard together."""

from pathlib import Path

from qsuper.place import Place
from qsuper.roles.web.app import App
from qsuper.roles.web.gate import keys
from qsuper.roles.web.gate.access import Access
from qsuper.roles.web.gate.door import Door
from qsuper.roles.web.gate.guard import Guard
from qsuper.roles.web.gate.names import Names
from qsuper.roles.web.gate.revoked import Revoked
from qsuper.roles.web.gate.sessions import Sessions
from qsuper.roles.web.serving.events import Events
from qsuper.roles.web.serving.lookout import Lookout
from qsuper.roles.web.serving.pool import QUICK_THREADS, Pool
from qsuper.roles.web.serving.server import Server
from qsuper.roles.web.site import Site


def build(place: Place) -> Server:
    """A server that is ready to serve; raises `UnfitSecret`."""
    web = place.config.web
    secrets = keys.read(place.config)
    sessions = Sessions(secrets.signing, Revoked(Path(place.config.state_dir)))
    site, pool, quick = Site(place), Pool(), Pool(QUICK_THREADS)
    lookout = Lookout(site)
    door = Door(Access(web, secrets, sessions), read_only=web.read_only)
    events = Events(site, pool, lookout)
    app = App(site, door, pool, quick, lookout, events)
    return Server(place, Guard(app, Names(web)), events)
