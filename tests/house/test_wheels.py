"""That `make run` and `make test` need no compiler: all packages have wheels for every machine that is promised."""

import tomllib
from collections import defaultdict

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from embedded.home import PROJECT

LOCKS = ("uv.lock", "tests/clients/uv.lock")
# The oldest system that is promised for each machine: Debian 12's C library, macOS 15.
GLIBC = 36
MACHINES = {
    "Linux on x86-64": [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, 4, -1)]
    + ["manylinux2014_x86_64", "manylinux1_x86_64"],
    "Linux on Arm": [f"manylinux_2_{minor}_aarch64" for minor in range(GLIBC, 16, -1)] + ["manylinux2014_aarch64"],
    "macOS on Apple silicon": list(mac_platforms((15, 0), "arm64")),
}
# Python and nothing else inside, so that its source needs no compiler either.
SOURCE_ONLY = {"promise"}
# Their dependants want them on other systems alone: Windows, and for the keyring of the clients Linux.
ELSEWHERE = {"uv.lock": {"pywin32"}, "tests/clients/uv.lock": {"pywin32", "cffi", "cryptography"}}


def tags(python: tuple[int, int], platforms: list[str]) -> set[Tag]:
    """What a wheel may be called that such a Python on such a machine takes."""
    interpreter = f"cp{python[0]}{python[1]}"
    return {*cpython_tags(python, platforms=platforms), *compatible_tags(python, interpreter, platforms)}


def wheels(lock: str) -> dict[str, set[Tag]]:
    """What the wheels of each package of a lock file are called; some packages have a version for each Python."""
    found: dict[str, set[Tag]] = defaultdict(set)
    for package in tomllib.loads((PROJECT / lock).read_text())["package"]:
        if "registry" in package["source"]:
            for wheel in package.get("wheels", []):
                found[package["name"]] |= parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]
            found.setdefault(package["name"], set())
    return found


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", [(3, 11), (3, 12), (3, 13)])
def test_every_package_has_a_wheel(lock: str, machine: str, python: tuple[int, int]) -> None:
    fitting = tags(python, MACHINES[machine])
    missing = {name for name, named in wheels(lock).items() if not fitting & named}
    assert missing <= SOURCE_ONLY | ELSEWHERE[lock]
