"""What an endpoint answers is written once: as a type, which shapes return and the OpenAPI document is made from."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.house.sources import modules, named

REST = modules("dandiapi/rest")
INPUTS = '''
class Item(serializers.Serializer[Any]):
    name = serializers.CharField()

class Items(Item):
    children = serializers.ListField(child=Item())

class Planted(Item):
    """Described to the OpenAPI document, and read by nobody."""
'''
VIEW = """
@documented({200: Planted, 400: Planted(many=True)}, request=Planted)
def post(self, request):
    self.body(inputs.Items)
"""


def last_name(node: ast.AST) -> str:
    """Return "Items" of `Items`, `inputs.Items` and `inputs.Items[...]`."""
    return ast.unparse(node).partition("[")[0].rpartition(".")[2]


def serializers_in(trees: Iterable[ast.Module]) -> dict[str, ast.ClassDef]:
    """Return the classes that are serializers, by name."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: dict[str, ast.ClassDef] = {}
    for each in classes:
        bases = {last_name(base) for base in each.bases}
        if bases & {"Serializer", "ListSerializer", *found}:
            found[each.name] = each
    return found


def read_names(trees: Iterable[ast.Module]) -> Iterator[str]:
    """Yield the names of what a view reads: `self.body(Name)`, or `query` or `usernames`, or `Name(data=...)`."""
    for call in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if last_name(call.func) in {"body", "query", "usernames"}:
            yield from map(last_name, call.args)
        if "data" in {keyword.arg for keyword in call.keywords}:
            yield last_name(call.func)


def documentation_only(sources: Iterable[str]) -> set[str]:
    """Return the serializers that no view reads, nor one that is read is made of."""
    trees = [ast.parse(source) for source in sources]
    unread = serializers_in(trees)
    reached = list(read_names(trees))
    while reached:
        read = unread.pop(reached.pop(), None)
        if read:
            reached += [last_name(node) for node in ast.walk(read) if isinstance(node, ast.Name | ast.Attribute)]
    return set(unread)


def importing(module: str) -> list[str]:
    return [named(file) for file in REST if f"from {module} import" in file.read_text()]


def test_no_serializer_is_only_for_documentation() -> None:
    assert documentation_only(file.read_text() for file in modules("dandiapi")) == set()


def test_serializers_are_found() -> None:
    assert {"NewAsset", "Digest", "ListedItems"} <= set(serializers_in(ast.parse(file.read_text()) for file in REST))


def test_serializer_only_for_documentation_is_noticed() -> None:
    assert documentation_only([INPUTS, VIEW]) == {"Planted"}


@pytest.mark.parametrize("reading", ["self.body(inputs.Planted)", "self.query(Planted)", "Planted(data=data)"])
def test_serializer_that_is_read_is_not_noticed(reading: str) -> None:
    assert documentation_only([INPUTS, VIEW, reading]) == set()


def test_answers_without_a_type_are_those_to_errors() -> None:
    assert importing("rest_framework.response") == ["dandiapi/rest/answers.py", "dandiapi/rest/errors.py"]


def test_operations_are_documented_by_what_they_return() -> None:
    found = [named(file) for file in REST if "extend_schema(" in file.read_text()]
    assert found == ["dandiapi/rest/operations.py"]
