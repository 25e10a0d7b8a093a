"""The texts are what uv 0.13 prints; each entry of the table has one."""

import re
from pathlib import Path

import pytest
from tests.fakes.wheels import make_wheel

from preheat.bundle.cache import Cache
from preheat.bundle.lock import lock
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.uv_errors import FALLBACK_HINT, TRANSLATIONS, translate
from preheat.errors import BundleError

TARGET = Target(provider="local", platform="x86_64-manylinux_2_28", python="3.12")
UNSATISFIABLE = "we can conclude that your requirements are unsatisfiable."
NO_SOLUTION = "error: No solution found when resolving dependencies\n  cause: Because "
NO_WHEELS = (
    f"{NO_SOLUTION}docopt==0.6.2 has no usable wheels and you require docopt==0.6.2, {UNSATISFIABLE}\n\n"
    "hint: Wheels are required for `docopt` because building from source is disabled for all packages "
    "(i.e., with `--no-build`)"
)
CASES = {
    "error: Failed to install: x.whl (x==1)\n  cause: failed to copy file\n"
    "  cause: No space left on device (os error 28)": "The disk is full",
    "error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`\n\n"
    "         Expected:\n           sha256:00": "file for idna==3.20 whose hash is not the one",
    "error: Couldn't parse requirement in `-` at position 0\n  cause: Expected one of `@`, found `p`\n"
    "         num py<1.20\n             ^": "requirement 'num py<1.20' cannot be read: Expected one of `@`",
    f"{NO_SOLUTION}pywin32>=306 has no wheels with a matching platform tag, {UNSATISFIABLE}\n\n"
    "hint: Wheels are available for `pywin32` (v312) on the following platforms: `win32`, `win_amd64`": (
        "No wheel of pywin32 v312 runs on x86_64-manylinux_2_28 with Python 3.12; some are for `win32`"
    ),
    f"{NO_SOLUTION}delta==2.0 has no wheels with a matching Python ABI tag, {UNSATISFIABLE}\n\n"
    "hint: You require CPython 3.12 (`cp312`), but we only found wheels for `delta` (v2.0) with the "
    "following Python ABI tag: `cp310`": "No wheel of delta v2.0 is for Python 3.12",
    NO_WHEELS: "No wheel of docopt for x86_64-manylinux_2_28 and Python 3.12",
    f"{NO_SOLUTION}nosuch-zzz was not found in the package registry and you require it, {UNSATISFIABLE}": (
        "no package called nosuch-zzz in the index"
    ),
    f"{NO_SOLUTION}zeta was not found in the provided package locations, {UNSATISFIABLE}": (
        "no package called zeta in the folders"
    ),
    f"{NO_SOLUTION}numpy was not found in the cache and you require numpy<2, {UNSATISFIABLE}\n\n"
    "hint: Packages were unavailable because the network was disabled.": "numpy is not in uv's cache",
    f"{NO_SOLUTION}there is no version of numpy==99 and you require numpy==99, {UNSATISFIABLE}": (
        "There is no numpy==99 in the index"
    ),
    f"{NO_SOLUTION}the requested Python version (>=3.12) does not satisfy Python>=3.13 and x==1 depends on "
    f"Python>=3.13, {UNSATISFIABLE}": "A package needs Python >=3.13, and the target has 3.12",
    f"{NO_SOLUTION}you require beta==2.0 and beta==3.0, {UNSATISFIABLE}": (
        "contradict each other: beta==2.0 and beta==3.0"
    ),
    "error: Failed to fetch: https://index.example/simple/x/\n"
    "  cause: HTTP status client error (401 Unauthorized) for url (https://index.example/simple/x/)": (
        "refused the credentials (HTTP 401)"
    ),
    "error: Failed to fetch: https://index.example/simple/x/\n  cause: error sending request\n"
    "  cause: Connection refused (os error 111)": "could not reach the index: Connection refused",
}


@pytest.mark.parametrize("stderr", CASES)
def test_what_uv_says_becomes_a_message_with_a_way_on(stderr: str) -> None:
    message, hint = translate(stderr, TARGET)
    assert CASES[stderr] in message
    assert hint != FALLBACK_HINT
    assert "{" not in message + hint


def test_every_entry_of_the_table_is_the_first_match_of_a_text() -> None:
    matched = {
        next(entry for entry in TRANSLATIONS if re.search(entry.pattern, stderr, re.IGNORECASE))
        for stderr in CASES
    }
    assert matched == set(TRANSLATIONS)


def test_what_is_not_in_the_table_is_shown_as_uv_said_it() -> None:
    message, hint = translate("error: something new\n  cause: of a new kind\n", TARGET)
    assert message == "The packages could not be resolved: something new\n  cause: of a new kind"
    assert hint == FALLBACK_HINT


def test_the_uv_that_is_installed_still_says_it_like_that(
    root: Path, wheelhouse: Path, target: Target, uv: Uv, cache: Cache
) -> None:
    make_wheel(wheelhouse, "alpha")
    make_wheel(wheelhouse, "windows", tag="py3-none-win_amd64")
    make_wheel(wheelhouse, "old", tag="cp38-cp38-manylinux_2_17_x86_64")
    said = {
        "windows": "No wheel of windows v1.0 runs on",
        "old": "No wheel of old v1.0 is for Python",
        "nosuch": "no package called nosuch in the folders",
        "alpha==9": "There is no alpha==9",
        "al pha": "'al pha' cannot be read",
        "alpha==1\nalpha==2": "contradict each other",
    }
    for requirements, message in said.items():
        with pytest.raises(BundleError, match=re.escape(message)):
            lock(requirements.split("\n"), target, root=root, uv=uv, cache=cache, upgrade=False)
