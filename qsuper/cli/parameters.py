"""Kinds of arguments that several verbs take."""

import click
import msgspec

from qsuper.config import kinds
from qsuper.errors import QsuperError
from qsuper.slices import Slice, parse_slice


class SliceType(click.ParamType):
    """`3/10`."""

    name = "slice"

    def convert(
        self, value: str | Slice, param: click.Parameter | None, ctx: click.Context | None
    ) -> Slice:
        """The slice; a usage error that says how to write one."""
        if isinstance(value, Slice):
            return value
        try:
            return parse_slice(value)
        except QsuperError as error:
            self.fail(str(error), param, ctx)


class DurationType(click.ParamType):
    """Seconds, or `90s`, `15m`, `1h`, `2d`."""

    name = "duration"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds; a usage error that says how to write them."""
        try:
            seconds = kinds.read_duration(value)
        except ValueError:
            seconds = None
        if isinstance(seconds, int | float) and seconds <= kinds.TEN_YEARS:
            return float(seconds)
        self.fail(f"{value!r} is not a duration: write 90, 90s, 15m, 1h or 2d", param, ctx)


class QueueType(click.ParamType):
    """The name of a queue."""

    name = "queue"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The name, when one could be written so."""
        try:
            return msgspec.convert(value, kinds.QueueName)
        except msgspec.ValidationError:
            self.fail(
                f"{value!r} is not a queue's name: 1 to 64 characters out of A-Z a-z 0-9 _ . : -",
                param,
                ctx,
            )


SLICE = SliceType()
DURATION = DurationType()
QUEUE = QueueType()
JOB_ID = click.IntRange(1, 2**63 - 1)
