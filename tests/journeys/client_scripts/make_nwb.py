"""FOLDER FILES: writes NWB files of random, incompressible numbers; FILES is JSON, a list of [path, seed, bytes]."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.file import Subject


def write(path: Path, seed: int, size: int) -> None:
    """Writes one file; its name begins with `sub-<subject>`."""
    subject = path.name.removeprefix("sub-").split("_")[0]
    file = NWBFile(
        identifier=f"{path.name} {seed}",
        session_description="Random numbers.",
        session_start_time=datetime(2026, 1, 5, tzinfo=UTC),
        experimenter=["Sample, Person"],
        subject=Subject(subject_id=subject, species="Mus musculus", sex="F", age="P90D"),
    )
    numbers = np.random.default_rng(seed).integers(-(2**15), 2**15, size=size // 2, dtype="int16")
    file.add_acquisition(TimeSeries(name="noise", description="Noise", data=numbers, unit="V", rate=1000.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    with NWBHDF5IO(path, "w") as writer:
        writer.write(file)


for name, seed, size in json.loads(sys.argv[2]):
    write(Path(sys.argv[1], name), seed, size)
print(json.dumps(None))
