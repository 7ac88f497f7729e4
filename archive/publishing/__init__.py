"""Validation of drafts, publishing, manifests, differences: what spans several rooms."""
