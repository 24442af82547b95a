"""The child that tells, played tick by tick over a scoreboard as others leave it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qsuper.config import AlertsConfig, Config, NodeConfig
from qsuper.place import Place
from qsuper.roles.alerts import Alerts
from qsuper.roles.role import AT_ONCE
from qsuper.scoreboard import clock
from tests.unit.cli import Node
from tests.wait import wait_for


class Desk:
    """A node on its scoreboard, and the child that watches it, played tick by tick."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.folder = folder
        self.node = Node(folder / "var")
        self.node.queue("default")
        self.worker = self.node.child("default[0]", 0)
        self.node.post()
        self.limits: dict[str, Any] = {"away": 0.0, "quiet": 0.5, "dead": 3, **limits}
        self.record = self.node.board.take()
        self.alerts = self.open()

    def open(self) -> Alerts:
        config = Config(
            folder=str(self.folder),
            state_dir=str(self.folder / "var"),
            node=NodeConfig(name="shop-1"),
            alerts=AlertsConfig(**self.limits),
        )
        place = Place(config, self.node.board, self.record, None, "alerts")
        alerts = Alerts(place)
        alerts.boot()
        return alerts

    def depth(self, oldest: float | None) -> None:
        depth = {"queue": "default", "states": {"ready": 1}, "oldest_ready": oldest}
        self.node.count(depth)

    def turn(self) -> float | None:
        self.node.post()
        rest = self.alerts.tick(clock())
        assert rest is None or rest <= 60
        return rest

    def until(self, condition: Callable[[], object], message: str) -> None:
        """Ticks, until it is so."""

        def turned() -> bool:
            self.turn()
            return bool(condition())

        wait_for(turned, 60.0, message)

    def noted(self) -> bool:
        """Whether all that was told is noted as told."""
        path = self.folder / "var" / "alerts.json"
        boxes = json.loads(path.read_bytes())["outboxes"] if path.exists() else {}
        return bool(boxes) and not any(box["messages"] for box in boxes.values())

    def close(self) -> None:
        self.alerts.order = AT_ONCE
        self.alerts.leave()
