"""What schemathesis is told beyond the document; it imports this itself (SCHEMATHESIS_HOOKS)."""

from collections.abc import Mapping
from typing import Any

import schemathesis

UNNAMED = "x-schemathesis-unknown-property"
TIMEOUT = "x-preheat-timeout-s"


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: "schemathesis.Case[Any]") -> bool:
    """Leave out what is right and no check understands.

    Headers that the document does not name are ignored (RFC 9110 section 5.1). A caller who gives the
    handler no time gets 504, or a stream without its end.
    """
    headers: Mapping[str, object] = case.headers or {}
    return UNNAMED not in headers and not _is_short(headers.get(TIMEOUT))


def _is_short(given: object) -> bool:
    try:
        return 0.001 <= float(str(given)) < 1
    except ValueError:
        return False
