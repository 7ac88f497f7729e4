"""`.env.example` names what production needs, and nothing that there is not."""

import os
import re
import subprocess
import sys

from tests.house.sources import PROJECT

EXAMPLE = (PROJECT / ".env.example").read_text()
CHOOSES_SETTINGS = "DJANGO_SETTINGS_MODULE"


def test_example_has_only_variables_that_are_documented() -> None:
    named = set(re.findall(r"^#?(\w+)=", EXAMPLE, re.MULTILINE))
    documented = set(re.findall(r"^\| `(\w+)` \|", (PROJECT / "docs/settings.md").read_text(), re.MULTILINE))
    assert named - documented == {CHOOSES_SETTINGS}


def test_production_starts_with_what_the_example_names() -> None:
    named = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    told = {name: value or "made up" for name, value in named.items()}
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **told},
        check=True,
        timeout=60,
    )
