"""What AWS says, fit for a screen and a log: without its envelope, and without what may be secret."""

import re

ENVELOPE = re.compile(
    r"^Resource handler returned message: ?\"?(?P<said>.*?)\"? ?\(RequestToken:.*$", re.DOTALL
)
TRAILER = re.compile(
    r"\s*\((?:Service: [^()]*(?:Request ID|Status Code)[^()]*|SDK Attempt Count: \d+|RequestToken: [^()]*)\)"
)
HIDDEN = "..."
SECRETS = (
    # Lambda quotes every variable with its value: https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
    (re.compile(r"(String measured:).*", re.DOTALL), r"\1 " + HIDDEN),
    (re.compile(r"Value '.*?' at '(environment[\w.]*)'", re.DOTALL), rf"Value {HIDDEN} at '\1'"),
    # What botocore's own check of a request says of it
    (re.compile(r"(value: ).*?(, (?:type|valid))", re.DOTALL), r"\1" + HIDDEN + r"\2"),
    # The request as the server saw it, its headers included
    (re.compile(r"(The Canonical String for this request should have been).*", re.DOTALL), r"\1 " + HIDDEN),
    (re.compile(r"(Encoded authorization failure message: )\S+"), r"\1" + HIDDEN),
    (
        re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)[=:]\s*)[^&\s\"']+", re.IGNORECASE),
        r"\1" + HIDDEN,
    ),
    (re.compile(r"\b((?:AKIA|ASIA)[A-Z0-9]{4})[A-Z0-9]{8,}\b"), r"\1" + HIDDEN),
    (re.compile(r"(https?://)[^/\s@\"']+@"), r"\1" + HIDDEN + "@"),
)


def plain(message: str) -> str:
    """Return what AWS says without request ids and handler envelopes, and without secrets."""
    found = ENVELOPE.match(message)
    said = found["said"] if found is not None else message
    return scrubbed(TRAILER.sub("", said)).strip().strip('"').strip()


def scrubbed(message: str) -> str:
    """Return `message` without values of variables, signatures, tokens, keys and passwords."""
    for pattern, instead in SECRETS:
        message = pattern.sub(instead, message)
    return message
