"""Names that are taken, quotas that are full, and resources that hang together."""

from preheat_providers._aws.known.model import Known

RESOURCES = (
    Known(
        name="belongs to another stack",
        pattern=r"(?P<name>\S+)\s+already exists in stack\s+(?P<stack>\S+)",
        why="{name} belongs to the stack {stack}.",
        hint="another name or stage in preheat.toml, or destroy that stack",
    ),
    Known(
        name="log group exists",
        pattern=r"(?:AWS::Logs::LogGroup' with identifier '(?:\{\"[^\"]*\":\")?|^|: |\")"
        r"(?P<group>/[\w./#-]+)[\"}']* already exists",
        why="The log group is there already: made by hand, by another stack, or by a function that ran on.",
        hint="aws logs delete-log-group --log-group-name {group}  # its lines are lost",
    ),
    Known(
        name="name is taken",
        codes=frozenset(
            ("AlreadyExists", "EntityAlreadyExists", "ResourceAlreadyExistsException", "QueueAlreadyExists")
        ),
        pattern=r"Resource of type '(?P<type>[\w:]+)' with identifier '(?P<name>.+?)' already exists",
        why="There is a resource of this name that the stack did not make.",
        hint="another name or stage in preheat.toml, or delete what has the name",
    ),
    Known(
        name="queue was just deleted",
        codes=frozenset(("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently")),
        pattern=r"must wait 60 seconds after deleting a queue",
        why="SQS gives a queue's name away again only after a minute.",
        hint="The same command again, in a minute.",
    ),
    Known(
        name="still in use",
        codes=frozenset(("DeleteConflict", "ResourceInUseException")),
        pattern=r"Cannot delete entity, must (?:detach|delete|remove)|resource is (?:currently )?in use",
        why="Something that the stack did not make hangs on it.",
        hint="aws iam list-attached-role-policies --role-name NAME  # detach what was added by hand, then"
        " preheat destroy once more",
    ),
    Known(
        name="issuer not reachable",
        pattern=r"Caught exception when connecting to (?P<url>\S+)|Invalid issuer",
        why="API Gateway reads the issuer's /.well-known/openid-configuration when it is set, and could not.",
        hint='jwt_issuer = "https://..." in [provider.aws_lambda]: public, https, and exactly as in `iss`',
    ),
    Known(
        name="too many APIs",
        pattern=r"Maximum number of \w* ?APIs for this account has been reached",
        why="The region's quota of API Gateway is used up.",
        hint='endpoint = "url" in [provider.aws_lambda] needs no API; or delete APIs that nobody uses',
    ),
    Known(
        name="did not become ready",
        codes=frozenset(("NotStabilized",)),
        pattern=r"did not stabilize|Exceeded attempts to wait",
        why="The resource was made, but did not become ready in the time that CloudFormation gives it.",
        hint="The same command again; the logs show whether setup takes long.",
    ),
    Known(
        name="quota used up",
        codes=frozenset(
            (
                "LimitExceeded",
                "LimitExceededException",
                "ServiceLimitExceeded",
                "ServiceQuotaExceededException",
                "ResourceLimitExceeded",
                "TooManyBuckets",
                "TooManyFunctionsException",
            )
        ),
        pattern=r"Cannot exceed quota for (?P<quota>\w+)|(?:quota|limit) (?:has been )?exceeded",
        why="The account has as many of these as it may have.",
        hint="https://console.aws.amazon.com/servicequotas  # ask for more, or delete what nobody uses",
    ),
)
