"""The picture as the loop gets it: probes and listeners wait for nobody else's work."""

from qsuper.picture import Picture
from qsuper.roles.web.serving.once import Once
from qsuper.roles.web.serving.pool import Pool
from qsuper.roles.web.site import Site


class Lookout:
    """Has a thread of its own, and a picture that is fresh needs none."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._take = Once(Pool(1), site.picture)

    async def picture(self) -> Picture:
        """The node as it is now; raises `NotRunning` or `ScoreboardError`."""
        return self._site.fresh() or await self._take.run()
