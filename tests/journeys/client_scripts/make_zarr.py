"""FOLDER SEED: writes an OME-NGFF-like image of random numbers, in two scales, the way zarr-python does."""

import json
import sys
from pathlib import Path

import numpy as np
import zarr

SIZE = 64
CHUNK = 16

root = zarr.open_group(str(Path(sys.argv[1])), mode="w", zarr_format=2)
datasets = [{"path": str(scale)} for scale in range(2)]
root.attrs["multiscales"] = [{"version": "0.4", "axes": [{"name": axis} for axis in "yx"], "datasets": datasets}]
for scale in range(2):
    size = SIZE // 2**scale
    image = root.create_array(
        str(scale),
        shape=(size, size),
        chunks=(CHUNK, CHUNK),
        dtype="uint16",
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    image[:] = np.random.default_rng(int(sys.argv[2])).integers(1, 2**16, size=(size, size), dtype="uint16")
print(json.dumps(None))
