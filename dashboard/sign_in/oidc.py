"""Sign-in by OpenID Connect. Streamlit speaks the protocol; here is what it is told, and what its answer is taken for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from dashboard.data.keys import key
from ops.errors import SettingsInvalid
from ops.secrets import SecretStore
from ops.settings import Settings

# What makes one sign-in another than the next of the same person.
_UNIQUE = ("iss", "sub", "aud", "nonce", "iat", "exp", "jti", "sid")


@dataclass(frozen=True)
class Identity:
    """Who an issuer says that somebody is, until when. ``login`` names this one sign-in."""

    subject: str
    name: str
    email: str | None
    expires_at: datetime
    login: str


def configuration(settings: Settings, where: str) -> dict[str, str]:
    """Streamlit's ``auth`` secrets; ``where`` is the page's address if the settings name none.

    Raises:
        SettingsInvalid: something is missing; all of it is named.
        SecretMissing: the client's secret is not where its reference points.
    """
    wanted = ("oidc_metadata_url", "oidc_client_id", "oidc_client_secret")
    if missing := [f"CONTROLROOM_{name.upper()}" for name in wanted if getattr(settings, name) is None]:
        raise SettingsInvalid(f"CONTROLROOM_SIGN_IN=oidc needs {', '.join(missing)}; see docs/sign-in.md")
    return {
        "redirect_uri": f"{settings.public_url or where}/oauth2callback",
        "cookie_secret": key(settings.home, "page_cookie.key"),
        "client_id": settings.oidc_client_id or "",
        "client_secret": SecretStore(settings.home).resolve(settings.oidc_client_secret or ""),
        "server_metadata_url": settings.oidc_metadata_url or "",
    }


def identify(claims: Mapping[str, object]) -> Identity | None:
    """The identity that a checked id token's claims give; None where they give none.

    The subject is ``issuer|sub``: an issuer promises that ``sub`` is unique within itself only.
    """
    issuer, sub, expires = claims.get("iss"), claims.get("sub"), claims.get("exp")
    if claims.get("is_logged_in") is not True or not isinstance(expires, int | float):
        return None
    if not (isinstance(issuer, str) and urlsplit(issuer).hostname and isinstance(sub, str) and sub):
        return None
    # An address that nobody verified is anybody's claim.
    email = claims.get("email") if claims.get("email_verified") is True else None
    email = email if isinstance(email, str) and email else None
    return Identity(
        subject=f"{issuer}|{sub}",
        name=str(email or claims.get("name") or claims.get("preferred_username") or sub),
        email=email,
        expires_at=datetime.fromtimestamp(expires, UTC),
        login=json.dumps([claims.get(name) for name in _UNIQUE]),
    )


def cookie_identity(cookies: Mapping[str, str], origin: str) -> Mapping[str, object]:
    """What Streamlit's cookie says, for requests beside its page; empty where it is missing, forged or another's."""
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(secret, name, value)

    found = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    if found is None:
        return {}
    claims = json.loads(found)
    return claims if isinstance(claims, dict) and claims.get("origin") == origin else {}
