"""The limits of clients, from the settings."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Limits:
    """The limits of what clients may take: how slow they may be, and how much is kept for them."""

    patience: float
    rate: float
    seconds: float
    spool: int
    spools: int

    @classmethod
    def of_settings(cls) -> "Limits":
        """Return the limits in the settings (docs/settings.md)."""
        return cls(
            patience=settings.REQUEST_PATIENCE,
            rate=settings.REQUEST_MIN_RATE,
            seconds=settings.REQUEST_SECONDS,
            spool=settings.REQUEST_SPOOL_BYTES,
            spools=settings.REQUEST_SPOOLS_BYTES,
        )
