"""Makes the playground and the docs, each one self-contained HTML page. Reads the templates beside it.

The pages load nothing from anywhere, so that they work offline and tell nobody that they were opened.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

PageName = Literal["playground", "docs"]

_TITLES: Mapping[PageName, str] = {"playground": "Preheat", "docs": "API"}
_TEMPLATES = files("preheat.runtime.surface") / "pages"


def assemble(name: PageName, about: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return a page and its headers. `about` goes into it as data, which its script shows as text only."""
    style = _template("page.css")
    script = _template("contract.js") + _template(f"{name}.js")
    html = _template("head.html") + _template(f"{name}.html")
    # The data comes last: what a handler says of itself must not be read as a placeholder.
    values = {"title": _TITLES[name], "style": style, "script": script, "about": _inert(about)}
    for mark, text in values.items():
        html = html.replace(f"/*{mark}*/", text, 1)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data: blob:; media-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html.encode(), {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _inert(about: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the script element it stands in (HTML section 4.12.1.3)."""
    return json.dumps(about).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(inline: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
