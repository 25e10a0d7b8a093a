"""What AWS refused, as errors of ours: what was asked for, what AWS said, what it means and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from preheat.errors import ProviderError
from preheat_providers._aws.known import KNOWN, Fix
from preheat_providers._aws.scrubbing import plain

IN_TEXT = re.compile(r"(?:Error Code|HandlerErrorCode): (\w+)|An error occurred \((\w+)\)")
"""Reasons of stack events, and what boto3 wraps, carry their codes in the text."""


def explain(code: str | None, message: str) -> Fix | None:
    """Return what is known of an error: what its message says counts more than its code."""
    for known in KNOWN:
        if (fix := known.read(message)) is not None:
            return fix
    codes = {*codes_in(message), *((code,) if code is not None else ())}
    return next((fix for known in KNOWN if (fix := known.coded(codes)) is not None), None)


def codes_in(message: str) -> tuple[str, ...]:
    """Return the error codes that the text of a message names."""
    return tuple(found for pair in IN_TEXT.findall(message) for found in pair if found)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise ProviderError("what: reason") for whatever boto3 raises; its hint says what to do."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        raise refused(what, said.get("Code"), said.get("Message") or str(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise refused(what, type(error).__name__, str(error)) from error


def refused(what: str, code: str | None, message: str) -> ProviderError:
    """Return the error that says that `what` failed for this reason."""
    fix = explain(code, message)
    said = plain(message)
    if code is not None and code not in said:
        said = f"{said.rstrip('.')} ({code})."
    return ProviderError(
        f"{what}: {said}" + (f" {fix.why}" if fix is not None else ""),
        hint=fix.hint if fix is not None else None,
    )
