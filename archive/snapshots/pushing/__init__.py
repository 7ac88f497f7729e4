"""Commits that people push: taken in by git, read, judged, and made true of the draft."""
