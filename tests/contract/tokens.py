"""JSON Web Tokens, good and bad. Written out, because a library refuses to make most of those that must be refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

SECRET = "a secret of these tests, longer than 32 bytes"


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(role: str, subject: str | None = None, secret: str = SECRET, **claims: object) -> str:
    """A token for ``role``, good for an hour unless ``exp`` says otherwise."""
    body = {"role": role, "exp": int(time.time()) + 3600, **({"sub": subject} if subject else {}), **claims}
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(body)}"
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def unsigned(role: str, algorithm: str = "none") -> str:
    """A token that says itself that it needs no signature."""
    return f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded({'role': role, 'exp': int(time.time()) + 3600})}."
