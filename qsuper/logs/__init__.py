"""The log: one day-file for all processes, one whole record per line."""

from qsuper.logs.context import JobContext, about_job, clear_job, current_job, job_context
from qsuper.logs.dayfile import file_name, remove_old
from qsuper.logs.handler import close, reopen, setup

__all__ = [
    "JobContext",
    "about_job",
    "clear_job",
    "close",
    "current_job",
    "file_name",
    "job_context",
    "remove_old",
    "reopen",
    "setup",
]
