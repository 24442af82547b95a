"""For the tests of applications: an empty database, jobs run in the test itself, time that jumps.

Nothing here is needed to run qsuper, and nothing else imports it.
"""

from qsuper.states import State
from qsuper.testing.clock import Clock
from qsuper.testing.draining import drain, inline
from qsuper.testing.expiring import expire
from qsuper.testing.ran import Ran
from qsuper.testing.seeing import SeenJob, jobs
from qsuper.testing.tables import empty_database

__all__ = [
    "Clock",
    "Ran",
    "SeenJob",
    "State",
    "drain",
    "empty_database",
    "expire",
    "inline",
    "jobs",
]
