"""Datasets as git-annex repositories: written from the timeline, kept in the object store, cloned from a cache."""
