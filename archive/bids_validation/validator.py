"""The official BIDS validator: run in a process group of its own, without network, within limits.

It is a program of its own (`bids-validator-deno`), which reads what strangers have written. So it gets no secrets, no
network where Linux can take it away, and no more memory, time and output than honest datasets need.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import bids_validator_deno
import orjson
import psutil
from deno import find_deno_bin
from django.conf import settings

from archive.errors import InvalidError

# What it answers with when it has a verdict: the dataset is valid, or it is not.
VERDICTS = {0, 16}
POLL_SECONDS = 0.2
MAX_OUTPUT = 512 * 2**20
SHOWN = 500
CONFIGURATION = {
    "ignore": [{"location": "/datacite.yml"}],
    "error": [{"code": "NO_AUTHORS"}, {"code": "SUBJECT_FOLDERS"}, {"code": "EMPTY_DATASET_NAME"}],
}
OPTIONS = ("--json", "--datasetTypes", "raw,derivative", "--blacklistModalities", "micr")


class Workplace(NamedTuple):
    """The files of a run: a home, the configuration, and what the program prints."""

    home: Path
    configuration: Path
    output: Path
    errors: Path


def validator_version() -> str:
    """Return which validator, and which version of it, verdicts are from."""
    return f"bids-validator-deno {version('bids-validator-deno')}"


def run_validator(folder: Path, space: Path, beat: Callable[[], None]) -> Path:
    """Validate the tree in `folder`, and return the file in `space` that has what the validator printed.

    Raises InvalidError, with the reason, when it has no verdict or went beyond its limits.
    """
    place = Workplace(space / "home", space / "configuration.json", space / "output.json", space / "errors.txt")
    place.home.mkdir()
    place.configuration.write_bytes(orjson.dumps(CONFIGURATION))
    command = [
        *_isolated(),
        *_program(folder, place.configuration),
        *OPTIONS,
        "--config",
        str(place.configuration),
        str(folder),
    ]
    status = _run(command, place, beat)
    if status not in VERDICTS:
        raise InvalidError(f"The validator ended with status {status}. {_said(place.errors)}".strip())
    return place.output


def _program(folder: Path, configuration: Path) -> list[str]:
    """Return the command that runs the validator, which may read the tree and what it consists of, and write nothing.

    Its package comes with a launcher, which would let it write, and reach the network.
    """
    if settings.BIDS_VALIDATOR:
        return [settings.BIDS_VALIDATOR]
    package = Path(bids_validator_deno.__file__).parent
    readable = ",".join(str(path) for path in (package, folder, configuration))
    memory = f"--v8-flags=--max-old-space-size={settings.BIDS_VALIDATION_BYTES // 2**20}"
    refused = ("--no-prompt", "--no-remote", "--deny-net", "--deny-write", "--deny-run", "--deny-ffi")
    program = str(package / "bids-validator.js")
    return [os.fsdecode(find_deno_bin()), "run", memory, *refused, "--allow-env", f"--allow-read={readable}", program]


@cache
def _isolated() -> tuple[str, ...]:
    """Return the command that takes the network from another; none where that is not permitted."""
    isolated = ("unshare", "--map-current-user", "--net")
    if sys.platform != "linux":
        return ()
    try:
        answer = subprocess.run([*isolated, "true"], check=False, capture_output=True, timeout=10)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return () if answer.returncode else isolated


def _environment(home: Path) -> Mapping[str, str]:
    """Return an environment without secrets, and with proxies that there are none of, should there be a network."""
    nowhere = "http://127.0.0.1:9"
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "DENO_DIR": str(home), "TMPDIR": str(home)}
    return {**own, "PATH": os.defpath, "NO_COLOR": "1", "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere}


def _run(command: list[str], place: Workplace, beat: Callable[[], None]) -> int:
    with place.output.open("wb") as output, place.errors.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - the program is ours, and gets paths of our own making
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=place.home,
            env=_environment(place.home),
            start_new_session=True,
        )
    try:
        return _watch(process, place, beat)
    finally:
        _end(process)


def _watch(process: "subprocess.Popen[bytes]", place: Workplace, beat: Callable[[], None]) -> int:
    """Wait until the process ends, and return its status; raise InvalidError when it goes beyond a limit."""
    until = time.monotonic() + settings.BIDS_VALIDATION_SECONDS
    while process.poll() is None:
        beat()
        if time.monotonic() > until:
            raise InvalidError(f"The validator took longer than {settings.BIDS_VALIDATION_SECONDS} seconds.")
        if _memory(process.pid) > settings.BIDS_VALIDATION_BYTES:
            raise InvalidError(
                f"The validator needed more than {settings.BIDS_VALIDATION_BYTES // 2**20} MiB of memory."
            )
        if max(place.output.stat().st_size, place.errors.stat().st_size) > MAX_OUTPUT:
            raise InvalidError(f"The validator printed more than {MAX_OUTPUT // 2**20} MiB.")
        time.sleep(POLL_SECONDS)
    return process.returncode


def _memory(pid: int) -> int:
    """Return how much memory a process and its children have, in bytes."""
    try:
        process = psutil.Process(pid)
        return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])
    except psutil.Error:
        return 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of the process group, and reap the process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _said(errors: Path) -> str:
    with errors.open("rb") as file:
        file.seek(max(0, errors.stat().st_size - SHOWN))
        return file.read().decode(errors="replace").strip()
