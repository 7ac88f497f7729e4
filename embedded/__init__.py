"""Runs the archive on a machine that has no services of its own: `python -m embedded --help`.

Nothing here imports Django, so that starting up costs no more than the services themselves.
"""
