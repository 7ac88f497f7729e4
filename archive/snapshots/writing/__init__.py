"""Commits made from the rows of a dataset: planned, written in one stream, written again, and held against the rows."""
