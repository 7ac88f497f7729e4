"""What the law leaves to ruff, ruff is told to look for."""

import subprocess

import pytest

from tests.house.sources import PROJECT

PLANTED = [
    ("D100", "archive/planted.py", "import json\n"),
    ("D101", "archive/planted.py", '"""A module."""\n\n\nclass Planted:\n    pass\n'),
    ("D103", "archive/planted.py", '"""A module."""\n\n\ndef planted() -> None:\n    pass\n'),
    ("D103", "dandiapi/rest/planted.py", '"""A module."""\n\n\ndef planted() -> None:\n    pass\n'),
    ("TID251", "archive/planted.py", '"""A module."""\n\nimport django.http\n'),
    ("TID251", "archive/planted.py", '"""A module."""\n\nfrom django.db.models.signals import post_save\n'),
    ("ANN001", "dandiapi/planted.py", '"""A module."""\n\n\ndef planted(value) -> None:\n    """Do nothing."""\n'),
]


def ruff(file_name: str, content: str) -> str:
    command = ["ruff", "check", "--no-cache", "--output-format", "concise", "--stdin-filename", file_name, "-"]
    return subprocess.run(
        command, cwd=PROJECT, input=content, capture_output=True, text=True, timeout=60, check=False
    ).stdout


@pytest.mark.parametrize(("rule", "file_name", "content"), PLANTED)
def test_rule_fires_when_code_breaks_it(rule: str, file_name: str, content: str) -> None:
    assert f": {rule} " in ruff(file_name, content)
