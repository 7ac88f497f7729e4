"""BIDS: what the documents at the root of a dataset say, edits of them, and snapshots, some of them deprecated."""
