"""Kinds of arguments that several verbs take, for click's `type=`."""

from collections.abc import Callable
from typing import Any, cast

import click
import msgspec

from qsuper.config import kinds
from qsuper.errors import QsuperError
from qsuper.slices import Slice, parse_slice

_ID_MOST = 2**63 - 1


def an_id(text: str) -> int:
    """The id of a job; a usage error for anything else."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= _ID_MOST:
        return int(text)
    raise click.BadParameter(f"{text!r:.40} is not the id of a job: write a whole number above 0")


def a_slice(text: str) -> Slice:
    """`3/10`; a usage error that says how to write one."""
    try:
        return parse_slice(text)
    except QsuperError as error:
        raise click.BadParameter(str(error)) from None


def seconds(text: str) -> float:
    """Seconds out of `90`, `90s`, `15m`, `1h`, `2d`; a usage error for anything else."""
    try:
        value = float(cast(float, kinds.read_duration(text)))
    except ValueError:
        value = -1.0
    if not 0 <= value <= kinds.TEN_YEARS:
        raise click.BadParameter(f"{text!r:.40} is not a duration: write 90, 90s, 15m, 1h or 2d")
    return value


def some_text(text: str) -> str:
    """Text as it stands; a usage error when it is empty (a variable that was not set would choose
    everything) or no UTF-8."""
    if not text:
        raise click.BadParameter("it is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{text!r:.80} is not UTF-8") from None
    return text


def _named(kind: Any) -> Callable[[str], str]:
    """A name under the rules that bind it in the configuration."""
    rules = kind.__metadata__[0].description

    def name(text: str) -> str:
        try:
            return cast(str, msgspec.convert(text, kind))
        except (msgspec.ValidationError, UnicodeError):
            raise click.BadParameter(f"{text!r:.80} is not {rules}") from None

    return name


queue_name = _named(kinds.QueueName)
task_name = _named(kinds.TaskName)
