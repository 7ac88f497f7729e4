"""Zarr archives: many small files that make one asset, uploaded, listed and pinned as one."""
