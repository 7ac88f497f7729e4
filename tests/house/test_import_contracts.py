"""The import contracts of pyproject.toml hold, and each of them would fire."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import PROJECT

# Contract, and an import that breaks it: where it is planted, and what. They are all planted at once.
PLANTED = [
    ("faces-over-domain", "archive/paths.py", "import dandiapi.celery"),
    ("faces-over-domain", "dandiapi/faces.py", "import embedded.home"),
    ("room-order", "archive/storage/services.py", "import archive.publishing.services"),
    ("room-order", "archive/metadata/summary.py", "import archive.datasets.models"),
    ("in-room-order", "archive/zarr/queries.py", "import archive.zarr.services"),
    ("in-identifiers", "archive/identifiers/names.py", "import archive.identifiers.datacite"),
    ("in-storage", "archive/storage/signing.py", "import archive.storage.queries"),
    ("in-catalogue", "archive/catalogue/files.py", "import archive.catalogue.queries"),
    ("in-bids", "archive/bids/documents.py", "import archive.bids.queries"),
    ("in-bids-validation", "archive/bids_validation/tree.py", "import archive.bids_validation.layout"),
    ("in-git-annex", "archive/git_annex/keys.py", "import archive.git_annex.files"),
    ("in-accounts", "archive/accounts/policy.py", "import archive.accounts.queries"),
    ("in-datasets", "archive/datasets/work.py", "import archive.datasets.roles"),
    ("in-publishing", "archive/publishing/rules.py", "import archive.publishing.queries"),
    ("in-assets", "archive/assets/folders.py", "import archive.assets.services"),
    ("in-blobs", "archive/blobs/receiving.py", "import archive.blobs.services"),
    ("in-uploads", "archive/uploads/models.py", "import archive.uploads.queries"),
    ("in-search", "archive/search/text.py", "import archive.search.models"),
    ("in-metadata", "archive/metadata/queries.py", "import archive.metadata.problems"),
    ("in-timeline", "archive/timeline/models.py", "import archive.timeline.work.jobs"),
    ("in-timeline-work", "archive/timeline/work/jobs.py", "import archive.timeline.work.projections"),
    ("in-snapshots", "archive/snapshots/keeping/cache.py", "import archive.snapshots.writing.plans"),
    ("in-snapshots-writing", "archive/snapshots/writing/delta.py", "import archive.snapshots.writing.writer"),
    ("in-snapshots-pushing", "archive/snapshots/pushing/receiving.py", "import archive.snapshots.pushing.judging"),
    ("in-snapshots-keeping", "archive/snapshots/keeping/git.py", "import archive.snapshots.keeping.cache"),
    ("faces-apart", "dandiapi/web/urls.py", "import dandiapi.rest.urls"),
    ("faces-by-the-door", "dandiapi/rest/shapes.py", "import archive.snapshots.keeping.git"),
    ("faces-by-the-door", "dandiapi/web/views.py", "import archive.publishing.work"),
    ("no-http-below", "archive/assets/services.py", "import rest_framework.status"),
    ("pure-git-annex", "archive/git_annex/files.py", "import django.conf"),
    ("storage-talks-s3", "archive/blobs/services.py", "import boto3"),
]
PACKAGES = ("archive", "dandiapi", "embedded")
CONTRACTS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}


def copied_to(folder: Path) -> Path:
    """Copy the project's packages, and what is said of them, into a folder."""
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copied_to(tmp_path)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of each contract when all that breaks them is planted."""
    folder = copied_to(tmp_path_factory.mktemp("planted"))
    for _, module, line in PLANTED:
        with (folder / module).open("a") as file:
            file.write(f"\n{line}\n")
    _, _, sections = lint_imports(folder).partition("Broken contracts")
    # Each begins with the contract's name, underlined.
    parts = re.split(r"\n([^\n]+)\n-{3,}\n", sections)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def lint_imports(folder: Path, *options: str) -> str:
    """What import-linter says of the packages in a folder, and of no others on the way to them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # Wide enough for any line.
    environment["COLUMNS"] = "1000"
    command = ["lint-imports", "--no-cache", "--no-logo", *options]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return result.stdout + result.stderr


def test_contracts_are_kept() -> None:
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in lint_imports(PROJECT)


def test_contracts_all_have_a_planted_import() -> None:
    # What import-linter says of cycles has another form: they have a test of their own.
    assert {contract for contract, _, _ in PLANTED} == set(NAMES) - {"no-cycles"}


def test_no_cycles_fires_when_two_modules_import_each_other(copy: Path) -> None:
    (copy / "dandiapi/rest/pages.py").open("a").write("\nimport dandiapi.rest.urls\n")
    assert f"{NAMES['no-cycles']} BROKEN" in lint_imports(copy, "--contract", "no-cycles")


@pytest.mark.parametrize(("contract", "module", "line"), PLANTED)
def test_contract_fires_when_an_import_breaks_it(broken: dict[str, str], contract: str, module: str, line: str) -> None:
    importer = module.removesuffix(".py").replace("/", ".")
    imported = line.removeprefix("import ")
    # Of packages from elsewhere it knows the name alone.
    told = imported if imported.split(".")[0] in PACKAGES else imported.split(".")[0]
    assert f"{importer} -> {told} (" in broken[NAMES[contract]]


def test_room_order_fires_when_a_room_is_not_in_it(copy: Path) -> None:
    (copy / "archive/attic.py").write_text('"""A room that nobody put in order."""\n')
    assert f"{NAMES['room-order']} BROKEN" in lint_imports(copy, "--contract", "room-order")


def test_in_room_order_fires_when_a_file_is_not_in_it(copy: Path) -> None:
    (copy / "archive/zarr/helpers.py").write_text('"""A file that no room has."""\n')
    assert f"{NAMES['in-room-order']} BROKEN" in lint_imports(copy, "--contract", "in-room-order")
