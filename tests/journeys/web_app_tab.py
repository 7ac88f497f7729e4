"""One tab with the web app in it."""

import json
import re
from typing import Any, NamedTuple

from playwright.sync_api import BrowserContext, Page, expect

from dandiapi.oauth import WEB_APP_CLIENT_ID
from tests.journeys.running import RunningArchive


class Answer(NamedTuple):
    """What a page learns of an answer: nothing at all if the browser keeps it from the page."""

    status: int
    text: str
    data: Any


class Tab:
    """The web app, which starts at its root whatever is in the address."""

    def __init__(self, context: BrowserContext, origin: str, archive: RunningArchive) -> None:
        self.origin = origin
        self.home = f"{origin}/"
        self.token_key = f"oauth-token-{WEB_APP_CLIENT_ID}"
        settings = {
            "apiRoot": f"{archive.api_url}/",
            "oauthRoot": f"{archive.url}/oauth/",
            "clientId": WEB_APP_CLIENT_ID,
        }
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.add_init_script(f"localStorage.setItem('settings', {json.dumps(json.dumps(settings))})")
        self.page.goto(self.home)

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Waits until the app says so."""
        expect(self.page.locator("#user")).to_have_text(text, timeout=15_000)

    def log_in(self) -> None:
        """Presses the button, and waits until it has led somewhere else."""
        with self.page.expect_navigation():
            self.page.click("#log-in")

    def log_out(self) -> None:
        """Presses the button."""
        self.page.click("#log-out")

    def fill(self, **fields: str) -> None:
        """Types into fields by their placeholders."""
        for placeholder, text in fields.items():
            self.page.get_by_placeholder(placeholder, exact=True).fill(text)

    def press(self, button: str) -> None:
        """Presses a button of the archive's pages."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def sign_up(self, email: str, password: str, first_name: str, last_name: str) -> None:
        """Makes an account and gives a name, as everybody does who comes for the first time."""
        self.page.get_by_role("link", name="sign up").click()
        self.fill(**{"Email address": email, "Password": password, "Password (again)": password})
        self.press("Sign Up")
        self.page.get_by_label("First Name").fill(first_name)
        self.page.get_by_label("Last Name").fill(last_name)
        self.page.get_by_role("button").click()

    @property
    def token(self) -> Any:
        """The token that the app keeps; None if it has none."""
        return json.loads(self.page.evaluate(f"localStorage.getItem('{self.token_key}')") or "null")

    def reload_with(self, token: Any) -> None:
        """Opens the app again, with another token in its store."""
        self.page.evaluate(f"text => localStorage.setItem('{self.token_key}', text)", json.dumps(token))
        self.page.goto(self.home)

    def reload_expired(self, token: Any, **changes: str) -> None:
        """Opens the app again when a token's time has passed."""
        self.reload_with({**token, "issued_at": 0, **changes})

    def call(self, method: str, path: str, body: Any = None, *, anonymously: bool = False) -> Answer:
        """What the app sees of a call that one of its screens makes."""
        script = "([method, path, body, anonymously]) => call(method, path, body ?? undefined, anonymously)"
        return Answer(**self.page.evaluate(script, [method, path, body, anonymously]))
