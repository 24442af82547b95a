"""Growth: what a claim costs as the backlog, the slices and the finished rows grow, and how the
rate of one MariaDB changes with the workers on it.
"""

from bench.effort import Effort
from bench.figures import Result
from bench.modes.growth import claims, workers
from bench.rig import Rig


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("growth")
    # The workers first: a server that has just written millions of rows flushes for minutes.
    workers.measure(rig, effort, result)
    claims.measure(rig, effort, result)
    return result
