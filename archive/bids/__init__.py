"""BIDS: what the documents at the root of a dataset say, edits of them, snapshots, and which of these are deprecated."""
