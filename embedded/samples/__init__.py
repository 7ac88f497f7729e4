"""Two small datasets, generated here and uploaded as any client would, so that a new archive is not empty.

Run again after an interruption, this adds what is missing and nothing twice.
"""

import os

from embedded.home import PROJECT

# pynwb asks when it is imported, and would else write into the home of who runs this.
os.environ.setdefault("XDG_CACHE_HOME", str(PROJECT / ".tools"))

from .main import main

__all__ = ["main"]
