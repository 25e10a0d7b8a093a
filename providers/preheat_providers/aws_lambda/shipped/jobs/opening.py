"""The queue of the function that this runs in. Importing this imports the AWS SDK."""

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.events.client import dynamodb_client, lambda_client, s3_client
from preheat_providers.aws_lambda.shipped.jobs.client import Clients
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue
from preheat_providers.aws_lambda.shipped.settings import ALIAS, JOBS_BUCKET, TABLE, Sandbox, Settings


def open_queue(settings: Settings, sandbox: Sandbox) -> JobQueue:
    """Return the queue that `settings` name. Raises ProviderError where they name none."""
    if settings.table is None or settings.jobs_bucket is None:
        raise ProviderError(
            f"This function takes no jobs: {JOBS_BUCKET} or {TABLE} is not set.",
            hint="jobs = true in [provider.aws_lambda] of preheat.toml, and deploy.",
        )
    clients = Clients(dynamodb_client(), s3_client(), lambda_client())
    return JobQueue(
        clients,
        table=settings.table,
        bucket=settings.jobs_bucket,
        function=f"{sandbox.function}:{ALIAS}",
    )
