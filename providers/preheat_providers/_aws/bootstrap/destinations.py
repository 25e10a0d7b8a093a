"""What the deploy role may do to send uploads elsewhere: API destinations, beside what `deploying` has. Pure.

EventBridge keeps what a connection signs with in a secret that it makes under the caller's name:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from preheat_providers._aws.bootstrap.statements import PREFIX, ROLES, Statement, allow, here, linked_role


def statements() -> tuple[Statement, ...]:
    """Return all of them."""
    connections = [f"{verb}Connection" for verb in ("Create", "Delete", "Describe", "Update")]
    destinations = [f"{verb}ApiDestination" for verb in ("Create", "Delete", "Describe", "Update")]
    secrets = ["CreateSecret", "DeleteSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue"]
    secrets += ["UpdateSecret"]
    own = here("secretsmanager", f"secret:events!connection/{PREFIX}")
    # A destination is made of a connection, and IAM asks for both.
    made = [here("events", f"api-destination/{PREFIX}"), here("events", f"connection/{PREFIX}")]
    to_events = {"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}
    return (
        allow("Destinations", "events", [*connections, *destinations], made),
        allow("ConnectionSecrets", "secretsmanager", secrets, [own]),
        allow("DestinationRoles", "iam", ["PassRole"], [ROLES], to_events),
        linked_role("DestinationsRole", "apidestinations.events.amazonaws.com"),
    )
