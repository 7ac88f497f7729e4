"""What schemathesis is told about an archive: things that are there, which it would never guess.

`OPENAPI_KNOWN` names a file with a JSON list of datasets. Each has, by the names of parameters and fields, `names` that
exist in it; and, by routes, `bodies` that are right.
"""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import schemathesis

KNOWN: list[dict[str, Any]] = json.loads(Path(os.environ["OPENAPI_KNOWN"]).read_text())
# How often something known takes the place of what was thought up.
NAMES, BODIES = 0.8, 0.3
# After these there is less to ask about.
ENDINGS = {"DELETE /api/dandisets/{identifier}/", "POST /api/dandisets/{identifier}/unembargo/"}
RARELY = 0.05


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Put what exists into a request, so that it gets further than a 404. Nobody is led on to the store."""
    kwargs["allow_redirects"] = False
    # The same request gets the same again, or it could not be repeated.
    chance = Random(repr((case.method, case.path, case.path_parameters, case.query, case.body)))
    route = f"{case.method} {case.path}"
    if route in ENDINGS and chance.random() > RARELY:
        return
    known = chance.choice(KNOWN)
    if route in known["bodies"] and chance.random() < BODIES:
        case.body = known["bodies"][route]
        case.path_parameters.update(_of_the_dataset(known["names"], case.path_parameters, chance))
        return
    for part in (case.path_parameters, case.query, case.body):
        _put(known["names"], part, chance)


def _of_the_dataset(names: dict[str, list[Any]], parameters: dict[str, Any], chance: Random) -> dict[str, Any]:
    return {name: chance.choice(names[name]) for name in parameters.keys() & names.keys()}


def _put(names: dict[str, list[Any]], part: Any, chance: Random) -> None:
    if isinstance(part, list):
        for item in part:
            _put(names, item, chance)
    if isinstance(part, dict):
        for name in sorted(part.keys() & names.keys()):
            if chance.random() < NAMES:
                part[name] = chance.choice(names[name])
