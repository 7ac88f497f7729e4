"""Datasets and their versions: metadata, names, states, stars."""
