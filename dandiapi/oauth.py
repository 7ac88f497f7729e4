"""The archive as OAuth 2 provider of web apps: where it departs from the library (see `docs/decisions/oauth.md`)."""

from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2 import InvalidGrantError

from archive.accounts.queries import digest_of

# The web app's own, which is built into it (docs/dialects/dandi.md#oauth).
WEB_APP_CLIENT_ID = "Dk0zosgt1GAAKfN8LT4STJmLJXwMDPbYWYzfNtAl"
WEB_APP_NAME = "DANDI GUI"
WEB_APP_SCOPES = ["write"]
# Browser tabs that open together refresh at the same time, with the same refresh token.
TOGETHER = timedelta(minutes=1)


def find_access_token(secret: str) -> AccessToken | None:
    """Return the valid access token with this secret, its active user with it, or None.

    Its use shows that the web app has received it, and with it the refresh token that came along. From then on the
    refresh token that these replaced is good for nothing but raising the alarm.
    """
    token = (
        AccessToken.objects.select_related("user")
        .filter(token_checksum=digest_of(secret), user__is_active=True)
        .first()
    )
    if token is None or not token.is_valid(WEB_APP_SCOPES):
        return None
    if token.source_refresh_token_id and token.created < timezone.now() - TOGETHER:
        AccessToken.objects.filter(pk=token.pk).update(source_refresh_token=None)
    return token


def app_origins() -> list[str]:
    """Return the origins of all registered web apps."""
    uris = " ".join(Application.objects.values_list("redirect_uris", flat=True)).split()
    parts = [urlsplit(uri) for uri in uris]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


def family_of(code: str) -> UUID:
    """Return the id that all tokens made from a code share. Whoever has the code can compute it, long after its use."""
    return UUID(bytes=sha256(f"code {code}".encode()).digest()[:16])


class Validator(OAuth2Validator):  # type: ignore[misc]
    """A validator that ends all tokens of a code when the code is used again, and replaces refresh tokens at each use.

    And yet these never leave a web app with none.

    A web app that loses the answer to a refresh asks again with the token it has. The library would repeat the answer;
    but we keep only hashes of tokens, so it is given new ones, as long as those of the lost answer were never used.
    """

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Return whether the code is valid. If it is not, it may have been used, and somebody else has it too."""
        is_good: bool = super().validate_code(client_id, code, client, request, *args, **kwargs)
        if not is_good:
            self._end_what_came_of(code, client)
        return is_good

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Use the code up; InvalidGrantError if another request did so at the same moment."""
        try:
            super().invalidate_authorization_code(client_id, code, request, *args, **kwargs)
        except InvalidGrantError:
            self._end_what_came_of(code, request.client)
            raise

    def _end_what_came_of(self, code: str, client: Application) -> None:
        if RefreshToken.objects.filter(token_family=family_of(code), application=client).exists():
            RefreshToken.revoke_family(family_of(code))

    def _create_refresh_token(self, request: Any, *args: Any, **kwargs: Any) -> RefreshToken:
        token = super()._create_refresh_token(request, *args, **kwargs)
        if request.grant_type == "authorization_code":
            token.token_family = family_of(request.code)
            token.save(update_fields=["token_family"])
        return token

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Forget the tokens of an earlier refresh that was lost, so that the library makes new ones."""
        repeated = getattr(request, "refresh_token_instance", None)
        if repeated is not None:
            list(RefreshToken.objects.select_for_update().filter(pk=repeated.pk))
            AccessToken.objects.filter(source_refresh_token=repeated).update(source_refresh_token=None)
        super()._save_bearer_token(token, request, *args, **kwargs)

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Revoke all tokens of the same sign-in: signing out in one tab signs out in all."""
        digest = digest_of(token)
        is_meant = Q(token_checksum=digest) | Q(access_token__token_checksum=digest)
        kin = RefreshToken.objects.filter(is_meant, application__client_id=request.client_id)
        families = set(kin.values_list("token_family", flat=True))
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)
        for family in families:
            RefreshToken.revoke_family(family)
