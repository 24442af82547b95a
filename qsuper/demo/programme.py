"""The acts of the demo, in order, and the verdict on them."""

from pathlib import Path

from qsuper.demo import mailing, orders
from qsuper.demo.patience import Patience
from qsuper.demo.screen import Screen
from qsuper.demo.verdict import Verdict
from qsuper.errors import RedisError
from qsuper.redis.program import find_program


def play(data: Path, folder: Path, screen: Screen, patience: Patience) -> int:
    """The whole demo, `data` being the mailing; returns the exit code."""
    with screen:
        found: list[Verdict] = [mailing.play(data, folder / "mailing", screen, patience)]
        if refusal := _no_redis():
            screen.begin(f"No orders: {refusal}")
        else:
            found.append(orders.play(folder / "orders", screen, patience))
        screen.conclude(found)
    return 0 if all(verdict.good for verdict in found) else 1


def _no_redis() -> str:
    """Why there can be no embedded Redis; empty when there can."""
    try:
        find_program()
    except RedisError as error:
        return str(error)
    return ""
