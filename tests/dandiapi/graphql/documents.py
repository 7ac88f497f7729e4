"""What real clients ask: documents with the same fields, arguments and variables as theirs."""

import json
from pathlib import Path
from typing import Any, NamedTuple

_KNOWN = json.loads(Path(__file__).with_name("documents.json").read_text())
DOCUMENTS: list[dict[str, Any]] = _KNOWN["documents"]
# Lists of datasets, whatever they are lists of.
LISTS = ("advancedSearch", "datasets")


class Heavy(NamedTuple):
    """One of the heaviest documents that clients send, and where it begins."""

    name: str
    root: str
    text: str

    @property
    def is_list(self) -> bool:
        """Whether it asks for a page of datasets."""
        return self.root in LISTS


def heaviest(first: int = 25) -> list[Heavy]:
    """The heaviest queries, but for what they ask in vain. A page has `first` datasets.

    What is asked of the results of a search is asked of a list of datasets here.
    """
    named = {name_of(each): each for each in DOCUMENTS if each["operation"] == "query"}
    return [_heavy(named[name], first) for name in _KNOWN["heaviest"] if name in named]


def name_of(document: dict[str, Any]) -> str:
    """How the list of the heaviest names a document."""
    source = document["source"].rpartition("/")[2]
    told = f"{document['client']} {document['operation']} {document['name']} [{source}]"
    return f"{told} fields {document['fields']} depth {document['depth']}"


def _heavy(document: dict[str, Any], first: int) -> Heavy:
    paths = [path for path in document["paths"] if path not in (document.get("notInSchema") or [])]
    root = paths[0].partition(".")[0]
    if root not in LISTS:
        return Heavy(name_of(document), root, text_of(document | {"paths": paths}))
    below = [path.replace(root, "datasets", 1) for path in paths]
    arguments = {path.replace(root, "datasets", 1): given for path, given in document["arguments"].items()}
    asked = {"paths": below, "variables": {}, "arguments": arguments | {"datasets": {"first": str(first)}}}
    return Heavy(name_of(document), root, text_of(document | asked))


def text_of(document: dict[str, Any]) -> str:
    """A document with the same fields, arguments and variables."""
    tree: dict[str, Any] = {}
    for path in document["paths"]:
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
    variables = ", ".join(f"${name}: {type_}" for name, type_ in document["variables"].items())
    head = f"{document['operation']} {document['name'] or ''}" + (f"({variables})" if variables else "")
    return head + selection(tree, "", document["arguments"])


def selection(node: dict[str, Any], prefix: str, arguments: dict[str, dict[str, str]]) -> str:
    parts = []
    for name, below in node.items():
        path = f"{prefix}.{name}" if prefix else name
        given = ", ".join(f"{argument}: {value}" for argument, value in arguments.get(path, {}).items())
        parts.append(name + (f"({given})" if given else "") + (selection(below, path, arguments) if below else ""))
    return f" {{ {' '.join(parts)} }}"
