"""`https:` weights."""

from preheat.bundle.weights.http import Http
from preheat.bundle.weights.source import Https
from preheat.bundle.weights.transfer import Incoming


def open_https(source: Https, http: Http) -> Incoming:
    """Open a file on a web server."""
    return http.open(source.url)
