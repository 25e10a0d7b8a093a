"""`hf:` weights, from a model hub. The hub's own library knows address and token; the bytes come by HTTP."""

import os

from preheat.bundle.weights.http import Http, Refused
from preheat.bundle.weights.source import Hub
from preheat.bundle.weights.transfer import Incoming
from preheat.errors import BundleError


def open_hub(source: Hub, http: Http) -> Incoming:
    """Open a file of a repository at a revision. Raises BundleError if the hub refuses it."""
    try:
        from huggingface_hub import get_token, hf_hub_url
    except ImportError as exc:
        raise BundleError(
            "Weights from `hf:` need the package huggingface-hub.", hint="Run: pip install 'preheat[hf]'"
        ) from exc
    # The library reads HF_ENDPOINT only when it is first imported.
    endpoint = os.environ.get("HF_ENDPOINT")
    url = hf_hub_url(source.repo, source.path, revision=source.revision, endpoint=endpoint)
    token = get_token()
    try:
        return http.open(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    except Refused as exc:
        if exc.status in (401, 403):
            hint = "Accept the model's terms on its page, then log in: hf auth login (or set HF_TOKEN)."
        else:
            hint = "Check repository, revision and path; a commit's hash is the safest revision."
        raise BundleError(
            f"The hub answered {exc.status} for {source.path} of {source.repo} at {source.revision}.",
            hint=hint,
        ) from exc
