"""`scripts/bench [MODE…]`: measures, prints the tables and which targets are met, draws a picture.

Raw figures are kept as JSON, one file a mode; the table and the picture are made of those files, so
that `scripts/bench report` makes them again and `scripts/bench drain report` with one mode anew.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.contenders import OURS
from bench.contenders.peers import PEERS as RIVALS
from bench.contenders.peers import versions
from bench.effort import QUICK, WHOLE, Effort
from bench.figures import Result
from bench.modes import cpu, drain, enqueue, growth, idle, kills, latency, memory, mixed, timers
from bench.report import summary, table
from bench.rig import PEERS, TOP, Rig, rig

Mode = Callable[[Rig, Effort], Result]

MODES: dict[str, Mode] = {
    "drain": drain.run,
    "enqueue": enqueue.run,
    "latency": latency.run,
    "timers": timers.run,
    "memory": memory.run,
    "cpu": cpu.run,
    "idle": idle.run,
    "growth": growth.run,
    "mixed": mixed.run,
    "kills": kills.run,
}
RESULTS = TOP / "bench" / "results"


def main() -> int:
    options = parse()
    folder = options.results or (RESULTS / "quick" if options.quick else RESULTS)
    modes = options.modes or [*MODES, "report"]
    for name in modes:
        if name != "report":
            measure(name, QUICK if options.quick else WHOLE, folder)
    # Without a report, what was measured just now and nothing older.
    shown = MODES if "report" in modes else modes
    results = [Result.read(file) for name in shown if (file := folder / f"{name}.json").exists()]
    print(table.render(results))
    if "report" in modes:
        names = [contender.name for contender in [*OURS, *RIVALS]]
        (folder / "table.md").write_text(table.render(results))
        (folder / "summary.md").write_text(summary.render(results, names))
        draw(folder)
    return 0


def measure(name: str, effort: Effort, folder: Path) -> None:
    """One mode on servers of its own."""
    print(f"\n{name}", flush=True)
    began = time.monotonic()
    with rig() as servers:
        result = MODES[name](servers, effort)
        result.machine = servers.machine() | versions()
    result.seconds = time.monotonic() - began
    print(f"{result.write(folder)} after {result.seconds:.0f} s", flush=True)


def draw(folder: Path) -> None:
    """The picture, by the environment that has matplotlib."""
    words = [str(PEERS / "bin" / "python"), "-m", "bench.report.picture"]
    subprocess.run([*words, str(folder), str(folder / "speed.svg")], cwd=TOP, check=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "modes", nargs="*", metavar="MODE", choices=[*MODES, "report"], help=", ".join(MODES)
    )
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the jobs, two rounds: does it work?"
    )
    parser.add_argument(
        "--results", type=Path, help="folder of the JSON files; bench/results, or quick in it"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
