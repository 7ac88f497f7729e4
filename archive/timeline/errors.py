"""What stops the work of a projection or a job without being a fault."""


class NotYetError(Exception):
    """The work cannot go on before something else has happened; `reason` says what is waited for.

    Whoever makes it happen nudges; `retry_after` (seconds) is only for the case that the nudge is lost.
    """

    def __init__(self, reason: str, *, retry_after: float = 60.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class LeaseLostError(Exception):
    """Another worker has taken the work over, because this one was silent for too long."""


class TurnOverError(Exception):
    """Work on the queue for what is quick has taken too long there, and goes on among what takes long."""
