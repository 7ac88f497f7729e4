"""Holding what is against what should be, for whoever runs the archive."""
