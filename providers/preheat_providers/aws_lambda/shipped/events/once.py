"""Work that is done once although its event comes twice: a record in DynamoDB for each piece of work."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from preheat_providers.aws_lambda.shipped.context import LambdaContext

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_S = 24 * 3600
"""How long a piece of work counts as done. S3 sends an event twice within seconds, SQS within hours."""

Outcome = dict[str, str]
Work = Callable[[], Outcome]


class Once(Protocol):
    """Does work unless it was done before."""

    def do(self, identity: Mapping[str, str], work: Work, context: LambdaContext) -> tuple[Outcome, bool]:
        """Return the outcome, of now or of before, and whether it is new. What `work` raises is not kept.

        Raises when the same work is being done elsewhere at this moment.
        """
        ...


class EveryTime:
    """Does what it is asked to, for a function without a table: at least once, and twice if asked twice."""

    def do(self, identity: Mapping[str, str], work: Work, context: LambdaContext) -> tuple[Outcome, bool]:
        """Do it."""
        del identity, context
        return work(), True


class OnceInTable:
    """Remembers in the table `table` of DynamoDB what `function` did."""

    def __init__(self, client: "DynamoDBClient", table: str, *, function: str) -> None:
        self._store = DynamoDBPersistenceLayer(table_name=table, boto3_client=client)
        self._config = IdempotencyConfig(expires_after_seconds=KEPT_S, hash_function="sha256")
        self._function = function

    def do(self, identity: Mapping[str, str], work: Work, context: LambdaContext) -> tuple[Outcome, bool]:
        """Do it, or return what it came to before."""
        # With the context, work that was cut off by a time-out may be taken up when that time is over.
        self._config.register_lambda_context(context)  # type: ignore[arg-type]
        new = False

        def run(*, identity: Mapping[str, str]) -> Any:
            nonlocal new
            del identity
            new = True
            return work()

        once = idempotent_function(
            run,
            data_keyword_argument="identity",
            persistence_store=self._store,
            config=self._config,
            key_prefix=self._function,
        )
        outcome: Outcome = once(identity=dict(identity))
        return outcome, new
