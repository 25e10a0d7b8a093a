"""Options of `[provider.aws_lambda]` that exclude one another. Pure."""

from collections.abc import Iterator

from preheat.findings import Finding
from preheat_providers._aws.finding import Find
from preheat_providers._aws.hours import ScheduledHours, hours_findings
from preheat_providers.aws_lambda.options import Options

TABLE = "provider.aws_lambda"


def option_findings(options: Options, find: Find) -> Iterator[Finding]:
    """Yield what is wrong with `options`, each with what to write instead."""
    yield from _package_findings(options, find)
    yield from _endpoint_findings(options, find)
    yield from _provisioned_findings(options, find)
    for number, hours in enumerate(options.provisioned_schedule):
        yield from _hours_findings(f"{TABLE}.provisioned_schedule[{number}]", hours, find)


def _package_findings(options: Options, find: Find) -> Iterator[Finding]:
    if not options.is_image:
        if options.base_image is not None:
            message = "base_image is what an image is built on, and archives have none."
            yield find(f"{TABLE}.base_image", message, 'package = "image"  # or remove base_image')
        return
    if options.warm == "snapstart":
        # https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
        message = "SnapStart is for archives: Lambda takes no snapshot of a container image."
        yield find(f"{TABLE}.warm", message, 'warm = "provisioned"  # or package = "zip"')
    if options.weights == "s3":
        message = "An image of 10 GB holds the weights, which Lambda fetches as they are read."
        yield find(f"{TABLE}.weights", message, 'weights = "package"')


def _endpoint_findings(options: Options, find: Find) -> Iterator[Finding]:
    if options.auth == "jwt" and options.endpoint != "http-api":
        message = "A Function URL cannot check a JWT; an HTTP API can."
        yield find(f"{TABLE}.auth", message, 'endpoint = "http-api"')
    if options.auth == "iam" and options.endpoint != "url":
        yield find(f"{TABLE}.auth", 'auth = "iam" is for a Function URL.', 'endpoint = "url"')
    if options.auth == "jwt" and not (options.jwt_issuer and options.jwt_audience):
        fix = 'jwt_issuer = "https://issuer.example.org/"\njwt_audience = ["my-client"]'
        yield find(f"{TABLE}.auth", 'auth = "jwt" needs jwt_issuer and jwt_audience.', fix)


def _provisioned_findings(options: Options, find: Find) -> Iterator[Finding]:
    most = options.provisioned_max
    if most is not None and most < options.provisioned:
        message = f"provisioned_max is {most}, less than provisioned, {options.provisioned}."
        yield find(f"{TABLE}.provisioned_max", message, f"provisioned_max = {options.provisioned}")
    reserved = options.reserved_concurrency
    if reserved is None or options.warm != "provisioned":
        return
    wanted = max(options.provisioned, most or 0, *(hours.max for hours in options.provisioned_schedule))
    if wanted > reserved:
        message = (
            f"Up to {wanted} environments are to be kept ready, and reserved_concurrency lets {reserved} run."
        )
        yield find(f"{TABLE}.reserved_concurrency", message, f"reserved_concurrency = {wanted}")


def _hours_findings(key: str, hours: ScheduledHours, find: Find) -> Iterator[Finding]:
    yield from hours_findings(key, hours, find)
    if hours.max < hours.min:
        yield find(key, f"max is {hours.max}, less than min, {hours.min}.", f"max = {hours.min}")
