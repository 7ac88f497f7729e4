"""A web app of another origin, as far as the archive sees it: it sends what the real one sends (dandi-web 3)."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.core.management import call_command
from django.test import Client

from dandiapi.oauth import WEB_APP_CLIENT_ID
from tests.dandiapi.web.browser import Browser

ORIGIN = "https://app.example.org"
HOME = f"{ORIGIN}/"
STATE = "0123456789"
VERIFIER = "v" * 64


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class WebApp:
    """The app in one tab of somebody's browser."""

    def __init__(self) -> None:
        call_command("register_web_app", redirect_uri=[HOME], verbosity=0)
        self.client = Client(headers={"Origin": ORIGIN})

    def query(self, **changes: str) -> dict[str, str]:
        query = {
            "redirect_uri": HOME,
            "client_id": WEB_APP_CLIENT_ID,
            "response_type": "code",
            "state": STATE,
            "response_mode": "query",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return query | changes

    def address(self, **changes: str) -> str:
        """Where the log-in button leads."""
        return f"/oauth/authorize/?{urlencode(self.query(**changes))}"

    def code_for(self, browser: Browser) -> str:
        """The code that somebody signed in comes back with."""
        location = browser.open(self.address())["Location"]
        assert location.startswith(HOME)
        returned = parse_qs(urlsplit(location).query)
        assert (set(returned), returned["state"]) == ({"code", "state"}, [STATE])
        return returned["code"][0]

    def exchange(self, code: str, /, **changes: str) -> Any:
        """The answer to a code."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": WEB_APP_CLIENT_ID,
            "redirect_uri": HOME,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return self.client.post("/oauth/token/", fields | changes)

    def tokens_for(self, browser: Browser) -> dict[str, Any]:
        """The tokens that the app has after somebody has signed in."""
        response = self.exchange(self.code_for(browser))
        assert response.status_code == 200
        tokens: dict[str, Any] = response.json()
        return tokens

    def refresh(self, tokens: dict[str, Any]) -> Any:
        """The answer to a refresh token."""
        fields = {"grant_type": "refresh_token", "client_id": WEB_APP_CLIENT_ID, "redirect_uri": HOME}
        return self.client.post("/oauth/token/", {**fields, "refresh_token": tokens["refresh_token"]})

    def revoke(self, access_token: str) -> Any:
        """The answer to signing out."""
        fields = {"token": access_token, "token_type_hint": "access_token", "client_id": WEB_APP_CLIENT_ID}
        return self.client.post("/oauth/revoke_token/", fields)

    def ask(self, method: str, address: str, access_token: str = "", **options: Any) -> Any:
        """The answer to a request of the API."""
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        return self.client.generic(method, f"/api/{address}", headers=headers, **options)

    def me(self, access_token: str) -> int:
        """What the API answers who asks who they are."""
        status: int = self.ask("GET", "users/me/", access_token).status_code
        return status
