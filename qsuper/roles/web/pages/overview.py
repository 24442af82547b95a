"""How the node is, at a glance."""

from collections import Counter
from typing import Any

from qsuper.errors import ScoreboardError
from qsuper.picture import Picture
from qsuper.roles.web.page import Fields
from qsuper.roles.web.showing import plots
from qsuper.roles.web.showing.charts import Chart, draw
from qsuper.roles.web.site import Site

_DUE_MOST = 8
_DECISIONS_MOST = 8


def load(site: Site, _: Fields, query: Fields) -> dict[str, Any]:
    picture, now = site.picture(), site.now()
    span = "day" if query.get("span") == "day" else "hour"
    return {
        "picture": picture,
        "name": site.config.node.name,
        "span": span,
        "charts": [draw(chart) for chart in _charts(site, picture, span, now)],
        "workers": Counter(child.state for child in picture.children if child.role == "worker"),
        "others": [child for child in picture.children if child.role != "worker"],
        "due": picture.due[:_DUE_MOST],
        "decisions": picture.decisions[: -_DECISIONS_MOST - 1 : -1],
    }


def _charts(site: Site, picture: Picture, span: str, now: float) -> list[Chart]:
    try:
        history = site.history()
    except ScoreboardError:
        return []
    # The last hour is drawn of 90 points, the last day of 96.
    points, together = (history.day(now), 3) if span == "day" else (history.hour(now), 4)
    return plots.charts(
        points, picture.decisions, together=together, now=now, hours=24 if span == "day" else 1
    )
