"""What makes jobs by itself: keys that expire, and cron lines."""

from qsuper.config import kinds
from qsuper.config.tables.table import Table


class WatchConfig(Table, frozen=True):
    """`[[watch]]`: Redis keys whose expiry becomes a job."""

    pattern: kinds.SomeText
    """Glob pattern of the keys."""
    task: kinds.TaskName
    """Task of the job."""
    db: kinds.RedisDatabase | None = None
    """Number of the Redis database that holds the keys; without it that of `redis.url`."""


class ScheduleConfig(Table, frozen=True):
    """`[[schedule]]`: a cron line that becomes jobs."""

    cron: kinds.Cron
    """Cron expression of five fields."""
    task: kinds.TaskName
    """Task of the jobs."""
    name: kinds.ScheduleName | None = None
    """Its own among all schedules; without it the task's."""
    param: kinds.ScheduleParam | None = None
    """Param of the jobs: a table, or the text as the column holds it."""
    timezone: kinds.TimeZone = "UTC"
    """Time zone the expression is read in."""
    jitter: kinds.Wait = 0.0
    """Seconds by which a job may run later, by its due time's own share of that."""
    misfire: kinds.Misfire = "once"
    """What becomes of due times that were missed: one job for all, none, or one for each."""
    grace: kinds.Grace = kinds.GRACE
    """Seconds after which a due time counts as missed."""
    overlap: kinds.Overlap = "allow"
    """Whether a job is made while the last one still lives."""
