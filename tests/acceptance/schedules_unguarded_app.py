"""The same in processes that decide without looking whether somebody was quicker."""

from qsuper.store import schedules
from qsuper.store.backend import Statement
from tests.acceptance import schedules_app

queue = schedules_app.queue

assert schedules._GUARD in schedules._PASS.text, "take its guard away here, too"
_UNGUARDED = "name = :name AND (since = :mark OR definition = :known OR paused = :paused)"
schedules._PASS = Statement(schedules._PASS.text.replace(schedules._GUARD, _UNGUARDED))
# What is there already is the second guard, the primary key of what is written the third.
schedules._DECIDED = Statement(f"{schedules._DECIDED.text} AND 1 = 0")
schedules._RECORD = Statement(
    "UPDATE schedule_runs SET note = :note WHERE name = :name AND due_at = :due AND job_id = :job"
)
