"""`docs/settings.md` describes every environment variable that the settings read, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import PROJECT, modules, named, nodes

# Which settings there are is said before there are any.
CHOOSES_SETTINGS = ["dandiapi/asgi.py", "dandiapi/celery.py", "dandiapi/wsgi.py"]


def variables_read(file: Path) -> Iterator[str]:
    """The first argument of each call of `env` or of one of its methods."""
    for node in nodes(file):
        if isinstance(node, ast.Call) and re.fullmatch(r"env(\.\w+)?", ast.unparse(node.func)):
            yield ast.literal_eval(node.args[0])


def reads_environment(file: Path) -> bool:
    return any(ast.unparse(node) in {"os.environ", "os.getenv", "environ"} for node in nodes(file))


def test_settings_document_has_exactly_the_variables_that_are_read() -> None:
    read = {name for file in modules("dandiapi/settings") for name in variables_read(file)}
    documented = re.findall(r"^\| `(\w+)` \|", (PROJECT / "docs/settings.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(read)


def test_environment_is_read_only_by_settings_and_embedded_services() -> None:
    readers = [named(file) for file in modules("archive", "dandiapi", "embedded") if reads_environment(file)]
    elsewhere = [name for name in readers if not name.startswith(("dandiapi/settings/", "embedded/"))]
    assert elsewhere == CHOOSES_SETTINGS
