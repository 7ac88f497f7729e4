"""The embedded S3 store, without its remote controls.

ministack answers `POST /_ministack/reset` by deleting every object, and asks nobody for a signature: any page open in a
browser on this machine could send that.
"""

from importlib import import_module
from typing import Any

# Imported by name because the package has no types.
ministack: Any = import_module("ministack.app")
_serve = ministack.app


async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Passes requests on to ministack, except those that would change the store itself."""
    control = scope["type"] == "http" and scope["path"].startswith("/_") and scope["method"] != "GET"
    if not control:
        await _serve(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    ministack.app = guarded
    ministack.main()
