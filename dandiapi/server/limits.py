"""What clients may take of the server, from the settings."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Limits:
    """How slow clients may be, and how much is kept for them."""

    patience: float
    rate: float
    seconds: float
    spool: int
    spools: int

    @classmethod
    def of_settings(cls) -> "Limits":
        """Those that `docs/settings.md` describes."""
        return cls(
            patience=settings.REQUEST_PATIENCE,
            rate=settings.REQUEST_MIN_RATE,
            seconds=settings.REQUEST_SECONDS,
            spool=settings.REQUEST_SPOOL_BYTES,
            spools=settings.REQUEST_SPOOLS_BYTES,
        )
