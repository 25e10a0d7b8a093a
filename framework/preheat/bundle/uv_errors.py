"""What uv says when it fails, in one table: a pattern, what happened, and what to do next."""

import re
from dataclasses import dataclass

from preheat.bundle.model import Target


@dataclass(frozen=True, slots=True)
class Translation:
    """`message` and `hint` may use the pattern's groups and {platform}, {python}."""

    pattern: str
    message: str
    hint: str


WHEEL_HINT = (
    "Only published wheels are used, because a source build would be for this machine, not for the target. "
    "Allow another version of {package} in `requirements`, set another `python` in preheat.toml, "
    "or build a wheel for {platform} yourself and name its folder in uv's `find-links`."
)

TRANSLATIONS = (
    Translation(
        r"[Nn]o space left on device",
        "The disk is full, so the packages could not be stored.",
        "Free some space, or move the caches with PREHEAT_HOME and UV_CACHE_DIR.",
    ),
    Translation(
        r"Hash mismatch for `(?P<package>[^`]+)`",
        "The index served a file for {package} whose hash is not the one in preheat.lock.",
        "If the package was published again, run `preheat build --upgrade`; if not, do not trust that file.",
    ),
    Translation(
        r"Couldn't parse requirement[^\n]*\n\s*cause: (?P<reason>[^\n]+)\n\s*(?P<line>[^\n]+)",
        "The requirement {line!r} cannot be read: {reason}",
        'Write requirements as in PEP 508, for example "numpy>=2,<3".',
    ),
    Translation(
        r"wheels are available for `(?P<package>[^`]+)` \((?P<version>[^)]+)\) on the following platforms?: "
        r"(?P<found>[^\n]+)",
        "No wheel of {package} {version} runs on {platform} with Python {python}; some are for {found}.",
        WHEEL_HINT,
    ),
    Translation(
        r"we only found wheels for `(?P<package>[^`]+)` \((?P<version>[^)]+)\) with the following "
        r"(?:Python ABI|Python implementation|ABI) tags?: (?P<found>[^\n]+)",
        "No wheel of {package} {version} is for Python {python} on {platform}; its wheels are for {found}.",
        WHEEL_HINT,
    ),
    Translation(
        r"wheels are required for `(?P<package>[^`]+)` because building from source is disabled",
        "No wheel of {package} for {platform} and Python {python} fits the requirements.",
        WHEEL_HINT,
    ),
    Translation(
        r"because (?P<package>[\w.-]+) was not found in the package registry",
        "There is no package called {package} in the index that uv uses.",
        "Check the spelling, or configure the index that has it for uv (UV_INDEX, or [[index]] in uv.toml).",
    ),
    Translation(
        r"because (?P<package>[\w.-]+) was not found in the provided package locations",
        "There is no package called {package} in the folders that uv looks in.",
        "Put its wheel into a `find-links` folder, or let uv use an index.",
    ),
    Translation(
        r"because (?P<package>[\w.-]+) was not found in the cache",
        "{package} is not in uv's cache and the network is switched off.",
        "Unset UV_OFFLINE, or build once with the network.",
    ),
    Translation(
        r"because there (?:is|are) no versions? of (?P<wanted>[^\s]+(?: [^\s]+)??) and",
        "There is no {wanted} in the index that uv uses.",
        "Ask for a version that exists; `uv pip install --dry-run PACKAGE` shows the newest.",
    ),
    Translation(
        r"does not satisfy Python(?P<wanted>[^\s,]+)",
        "A package needs Python {wanted}, and the target has {python}.",
        "Set `python` in preheat.toml to a version that fits, or allow an older version of the package.",
    ),
    Translation(
        r"because you require (?P<left>[^\s]+) and (?P<right>[^\s,]+), we can conclude",
        "The requirements contradict each other: {left} and {right}.",
        "Change one of them in `requirements`.",
    ),
    Translation(
        r"(?:status code|HTTP status client error \()\s*(?P<status>401|403)",
        "The index refused the credentials (HTTP {status}).",
        "Give uv the credentials of your index: `uv auth login`, a netrc file, or UV_INDEX_<NAME>_PASSWORD.",
    ),
    Translation(
        r"failed to (?:fetch|download)[\s\S]*?cause: (?P<reason>[^\n]+)\Z",
        "uv could not reach the index: {reason}.",
        "Check the network, the proxy and the index settings of uv; then build again.",
    ),
)
"""First match wins, whatever its letters' case; what the package index says most exactly stands first."""

FALLBACK_HINT = "The text is from `uv`; its settings (uv.toml, UV_* variables) apply."


def translate(stderr: str, target: Target) -> tuple[str, str]:
    """Return a message and a hint for what uv wrote on its standard error."""
    text = stderr.strip()
    for entry in TRANSLATIONS:
        if match := re.search(entry.pattern, text, re.IGNORECASE):
            groups = {name: value or "" for name, value in match.groupdict().items()}
            values = {"package": "it", **groups, "platform": target.platform, "python": target.python}
            return entry.message.format(**values), entry.hint.format(**values)
    reason = text.removeprefix("error: ")
    return f"The packages could not be resolved: {reason}", FALLBACK_HINT
