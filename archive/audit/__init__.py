"""The audit: what was done with assets, read from the timeline."""
