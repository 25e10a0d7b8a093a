"""The way to AWS: regions, connections, proxies, and too many requests."""

from preheat_providers._aws.known.model import Known

NETWORK = (
    Known(
        name="no region",
        codes=frozenset(("NoRegionError",)),
        pattern=r"You must specify a region",
        why="Nothing says which region to deploy to.",
        hint="export AWS_REGION=eu-central-1  # or region = ... in the table of the provider",
    ),
    Known(
        name="no such region",
        codes=frozenset(("InvalidRegionError",)),
        pattern=r"Provided region_name '(?P<region>[^']*)' doesn't match a supported format",
        why="That is not the name of a region.",
        hint="export AWS_REGION=eu-central-1",
    ),
    Known(
        name="no proxy",
        codes=frozenset(("ProxyConnectionError",)),
        pattern=r"Failed to connect to proxy URL",
        why="The proxy that HTTPS_PROXY names does not answer.",
        hint="unset HTTPS_PROXY  # or set it to the proxy that works; NO_PROXY names what goes round it",
    ),
    Known(
        name="certificate refused",
        codes=frozenset(("SSLError",)),
        pattern=r"SSL validation failed|CERTIFICATE_VERIFY_FAILED",
        why="The certificate of the other side is signed by none that this machine trusts: often a proxy.",
        hint="export AWS_CA_BUNDLE=/path/to/the/proxy/ca.pem",
    ),
    Known(
        name="endpoint unreachable",
        pattern=r"(?:Could not connect to|Connect timeout on|Connection was closed before we received"
        r' a valid response from) (?:the )?endpoint URL: "(?P<url>[^"]*)"',
        why="{url} cannot be reached: no network, a firewall, or a region that does not exist.",
        hint="curl -sv {url}  # and check AWS_REGION and AWS_ENDPOINT_URL",
    ),
    Known(
        name="no answer",
        codes=frozenset(
            ("ReadTimeoutError", "ConnectTimeoutError", "ConnectionClosedError", "HTTPClientError")
        ),
        pattern=r"Read timeout on endpoint URL",
        why="AWS did not answer in time.",
        hint="The same command again: it goes on from what is there.",
    ),
    Known(
        name="too many requests",
        codes=frozenset(
            (
                "Throttling",
                "ThrottlingException",
                "ThrottledException",
                "RequestThrottled",
                "TooManyRequestsException",
                "TooManyRequests",
                "RequestLimitExceeded",
                "PriorRequestNotComplete",
                "SlowDown",
            )
        ),
        pattern=r"\bRate exceeded\b|reduce your request rate|Too Many Requests",
        why="The account asks AWS more often than it may, in several tries.",
        hint="The same command again, in a minute; and fewer of them at once.",
    ),
    Known(
        name="AWS fails",
        codes=frozenset(
            (
                "InternalFailure",
                "InternalError",
                "InternalServerError",
                "ServiceException",
                "ServiceInternalError",
                "ServiceUnavailable",
                "ServiceUnavailableException",
                "500",
                "503",
            )
        ),
        pattern=r"Internal Failure|encountered an internal error",
        why="The service itself failed.",
        hint="The same command again, in some minutes. See https://health.aws.amazon.com/health/status.",
    ),
)
