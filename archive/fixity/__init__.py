"""Fixity: whether the places that should have the content of a version have it, whole and unchanged."""
