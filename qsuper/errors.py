"""Every error qsuper raises on purpose. A class's docstring is its default message."""

from collections.abc import Sequence


class QsuperError(Exception):
    """Something qsuper cannot do; the message says what to do about it."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigError(QsuperError):
    """The configuration has mistakes."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class StoreError(QsuperError):
    """The database refused; its own words follow."""


class StoreUnavailable(StoreError):
    """The database does not answer; check that it runs and that store.url is right."""


class OutcomeUnknown(StoreUnavailable):
    """The connection died while the statement was under way: it may or may not have been done."""


class SchemaError(StoreError):
    """The database's tables do not fit this qsuper; run `qsuper db upgrade`."""


class UnknownTask(QsuperError):
    """No task of this name is registered."""


class ParamError(QsuperError):
    """The param does not fit the task."""


class RedisError(QsuperError):
    """Redis refused; its own words follow."""


class RedisUnavailable(RedisError):
    """Redis does not answer; check that it runs and that redis.url is right."""


class JobIsEnding(QsuperError):
    """The running job of this name is being cancelled; try again when it has ended."""


class NoSuchJob(QsuperError):
    """There is no job of this id."""


class LiveTwin(QsuperError):
    """A live job of the same name exists; cancel it first, or wait until it has ended."""


class NotRunning(QsuperError):
    """qsuper is not running here; start it with `qsuper run`."""


class AlreadyRunning(QsuperError):
    """Another master runs in this state directory."""


class WireError(QsuperError):
    """The line on the control socket is not a request."""


class AppError(QsuperError):
    """The application named by `app` cannot be loaded."""


class ScoreboardError(QsuperError):
    """The scoreboard file is not one of this version."""
