"""The limit of open files, and so of connections, of a process."""

import resource

MAX_FILES = 2**14


def allow_files() -> int:
    """Allow this process as many open files as it may have, MAX_FILES at most; returns how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)
