"""What can be done from the dashboard: each action is a form's target and a JSON endpoint.

A further one is one function and one line in `ACTIONS`.
"""

from qsuper.roles.web.actions import jobs, many, node, schedules
from qsuper.roles.web.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("retry", "retry", ("id",), jobs.retry),
    Action("cancel", "cancel", ("id", "running"), jobs.cancel),
    Action("run-now", "run-now", ("id",), jobs.run_now),
    Action("retry-many", "retry", (*many.CHOICE, "yes", "at"), many.retry),
    Action("cancel-many", "cancel", (*many.CHOICE, "running", "yes", "at"), many.cancel),
    Action("pause-queue", "pause", ("queue",), node.pause_queue),
    Action("resume-queue", "resume", ("queue",), node.resume_queue),
    Action("pause-node", "pause", (), node.pause),
    Action("resume-node", "resume", (), node.resume),
    Action("scale", "scale", ("queue", "workers"), node.scale),
    Action("restart", "restart", ("name",), node.restart),
    Action("reload", "reload", (), node.reload),
    Action("run-schedule", "cron run", ("name",), schedules.run),
    Action("pause-schedule", "cron pause", ("name",), schedules.pause),
    Action("resume-schedule", "cron resume", ("name",), schedules.resume),
)
"""All of them. `POST /do/<name>` is a form, `POST /api/<name>` takes and gives JSON."""

__all__ = ["ACTIONS", "Action"]
