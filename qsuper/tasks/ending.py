"""Exceptions by which a job's code is ended from outside. Not errors of the code: BaseException."""


class SoftTimeout(BaseException):
    """The job has run for its whole time-out; raised inside the handler only."""


class Aborted(BaseException):
    """The worker must leave now; the job goes back."""
