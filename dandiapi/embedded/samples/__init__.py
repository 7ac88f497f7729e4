"""Two small datasets, generated here and uploaded as any client would, so that a new archive is not empty.

Run again after an interruption, this adds what is missing and nothing twice.
"""

from .main import main

__all__ = ["main"]
