"""The exceptions that stop the work of a projection or a job without being a fault."""


class NotYetError(Exception):
    """An exception for work that has to wait for something else; `reason` says for what.

    Whoever makes it happen nudges; `retry_after` (seconds) is only for the case that the nudge is lost.
    """

    def __init__(self, reason: str, *, retry_after: float = 60.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class LeaseLostError(Exception):
    """An exception for work that another worker has taken over, because this one was silent for too long."""


class TimeSliceOverError(Exception):
    """An exception for work that has taken too long on the quick queue, and goes on in the bulk queue."""
