"""What every subject is given."""

from dataclasses import dataclass

from qsuper.config import Config
from qsuper.picture import Picture
from qsuper.roles import KINDS
from qsuper.tasks.registry import Registry


@dataclass(frozen=True, slots=True)
class Case:
    """The node that is examined."""

    config: Config
    registry: Registry
    """What the application declares; empty where it cannot be imported."""
    picture: Picture | None
    """The running daemon; None when none runs."""

    @property
    def workers(self) -> int:
        """Workers this node may come to have."""
        configured = sum(
            queue.autoscale.max if queue.autoscale else queue.workers
            for queue in self.config.queues.values()
        )
        wanted = 0 if self.picture is None else sum(queue.wanted for queue in self.picture.queues)
        return max(configured, wanted)

    @property
    def others(self) -> tuple[str, ...]:
        """The children besides the workers."""
        return tuple(kind.name for kind in KINDS if not kind.per_queue and kind.wanted(self.config))
