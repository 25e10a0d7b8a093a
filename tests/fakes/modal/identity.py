"""The token with which a container says to others who it is: that of Modal, with nobody's signature.

What it says is in https://modal.com/docs/guide/oidc-integration, read on 2026-11-21. It lies in a file that
Modal writes again as the token renews, and that of the start is a variable: modal/experimental/stream.py.
"""

import base64
import json
import time
from typing import Any

ISSUER = "https://oidc.modal.com"
WORKSPACE = "ac-plane"


def identity_token(*, app: str, function: str, environment: str) -> str:
    """Return the token of a container."""
    about = {"workspace_id": WORKSPACE, "environment_name": environment, "app_name": app}
    about |= {"function_name": function}
    subject = "modal:" + ":".join(f"{name}:{value}" for name, value in about.items())
    now = int(time.time())
    said = {**about, "sub": subject, "aud": "oidc.modal.com", "iss": ISSUER, "iat": now, "exp": now + 3600}
    return f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(said)}.bm9ib2R5"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
