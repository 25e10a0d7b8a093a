"""How many environments `provisioned_schedule` keeps ready on average. Pure."""

from preheat_providers._aws.prices.hours import average_least
from preheat_providers.aws_lambda.options import Options


def average_ready(options: Options) -> float:
    """Return the mean over a year of the least that is kept ready; until a first entry, the last one's."""
    return average_least(options.provisioned_schedule, otherwise=options.provisioned)
