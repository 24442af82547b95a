"""What holds for every job."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, ValidationError, convert

from qsuper.config import kinds
from qsuper.config.tables.table import Table

_KEEP_DAYS = Meta(description="whole days from 0 to 36500, or { done = 7, dead = 90 }")


class BackoffConfig(Table, frozen=True):
    """`[job.backoff]`: the wait before a failed job's next attempt."""

    base: kinds.Wait = 5.0
    """Seconds before the second attempt; each further wait is longer."""
    cap: kinds.Delay = 3600.0
    """Longest wait in seconds."""

    def __post_init__(self) -> None:
        if self.base > self.cap:
            raise ValueError(
                f"base = {self.base:g} s is above cap = {self.cap:g} s; raise cap or lower base"
            )


class KeepDays(Table, frozen=True):
    """`[job.keep_days]`: how long finished jobs stay in the table; a bare number sets all three."""

    done: kinds.Days = 7
    """Days a job that succeeded stays."""
    dead: kinds.Days = 90
    """Days a job whose attempts are used up stays."""
    cancelled: kinds.Days = 7
    """Days a cancelled job stays."""


class JobConfig(Table, frozen=True):
    """`[job]`: what holds for every job unless its task or its row says otherwise."""

    timeout: kinds.Seconds = 3600.0
    """Seconds a job may run; 0 = as long as it likes."""
    max_attempts: kinds.Attempts = 5
    """Attempts after which a failing job is dead."""
    backoff: BackoffConfig = BackoffConfig()
    """The wait before the next attempt."""
    keep_days: Annotated[KeepDays, _KEEP_DAYS] = KeepDays()
    """How long finished jobs stay."""
    max_param_bytes: kinds.ParamLimit = 4 * kinds.MIB
    """Largest param in bytes that is accepted."""

    @classmethod
    def spread(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            days = convert(values.get("keep_days"), kinds.Days, strict=False)
        except ValidationError:
            return values
        return {**values, "keep_days": dict.fromkeys(KeepDays.__struct_fields__, days)}
