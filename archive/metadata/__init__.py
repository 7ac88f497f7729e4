"""Metadata: their computed form, their problems, and their summary. Pure: touches no row."""
