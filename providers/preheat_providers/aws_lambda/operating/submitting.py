"""Jobs from the command line: recorded and queued as the function itself does it for POST /jobs."""

from preheat.errors import ProviderError, RequestError
from preheat.interface.message import Request
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.shipped.jobs.client import Clients
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue
from preheat_providers.aws_lambda.template.names import ALIAS


def submit(place: Place, request: Request) -> str:
    """Queue `request` and return the job's id. Raises ProviderError, also where there are no jobs."""
    place.require()
    settings = place.settings()
    if settings.table is None or settings.jobs_bucket is None:
        raise ProviderError(
            f"{place.name} takes no jobs.", hint="jobs = true  # in [provider.aws_lambda], and deploy"
        )
    session = place.session
    queue = JobQueue(
        Clients(session.client("dynamodb"), session.client("s3"), session.client("lambda")),
        table=settings.table,
        bucket=settings.jobs_bucket,
        function=f"{place.function}:{ALIAS}",
    )
    try:
        job, _ = queue.submit(request)
    except RequestError as error:
        raise ProviderError(error.message) from error
    return job.id
