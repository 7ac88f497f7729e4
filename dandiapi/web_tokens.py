"""JSON Web Tokens: secrets that clients look into (docs/dialects/openneuro.md#tokens).

A web token is the secret of a row, as any other is: it is found by its digest, and ends when the row says so. What it
claims is for clients to read; this archive believes none of it. Its signature only keeps what is none of ours from
being looked for.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import jwt
from django.conf import settings
from django.utils import timezone

ALGORITHM = "HS256"
# What the JSON of a header begins with, in base64: `{"`.
_START = "eyJ"


def is_web_token(secret: str) -> bool:
    """Return whether a secret has the form of a web token, be it ours or not."""
    return secret.startswith(_START) and secret.count(".") == 2


def new_web_token(claims: Mapping[str, Any], *, expires: datetime) -> str:
    """Return a web token, unlike any other, with these claims, and when it was issued and expires."""
    times = {"iat": int(timezone.now().timestamp()), "exp": int(expires.timestamp())}
    key_id, key = next(iter(_keys().items()))
    return jwt.encode({**claims, **times, "jti": str(uuid4())}, key, algorithm=ALGORITHM, headers={"kid": key_id})


def has_good_signature(secret: str) -> bool:
    """Return whether one of this archive's keys has signed a web token, expired or not."""
    try:
        key = _keys().get(str(jwt.get_unverified_header(secret).get("kid")), "")
        jwt.decode(secret, key, algorithms=[ALGORITHM], options={"verify_exp": False, "verify_iat": False})
    except jwt.PyJWTError:
        return False
    return True


def is_broken(secret: str) -> bool:
    """Return whether a secret has the form of a web token, and cannot be read as one, whoever has signed it."""
    if not is_web_token(secret):
        return False
    try:
        jwt.decode(secret, options={"verify_signature": False, "verify_exp": False})
    except jwt.PyJWTError:
        return True
    return False


def _keys() -> dict[str, str]:
    """Return the keys by their ids: the first signs, and all that there are are good."""
    keys = settings.WEB_TOKEN_KEYS or [f"web tokens {settings.SECRET_KEY}"]
    return {_id(key): _long(key) for key in keys}


def _id(key: str) -> str:
    return sha256(f"id of {key}".encode()).hexdigest()[:8]


def _long(key: str) -> str:
    return urlsafe_b64encode(sha256(key.encode()).digest()).decode()
