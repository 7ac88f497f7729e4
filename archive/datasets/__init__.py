"""Datasets and their versions: metadata, names, states, roles of people, stars."""
