"""Exceptions by which a job's code is ended from outside. Not errors of the code: BaseException."""


class Ended(BaseException):
    """Somebody outside wants the job's code to end."""


class SoftTimeout(Ended):
    """The job has run for its whole time-out; raised inside the handler only."""


class Cancelling(Ended):
    """Somebody has cancelled the job; raised inside the handler only."""


class Aborted(Ended):
    """The worker must leave now; the job goes back."""
