"""The whole template: one CloudFormation document for one function at one stage."""

from preheat_providers._aws.templates.document import document_of
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref
from preheat_providers.aws_lambda.template.alarms import alarm_resources
from preheat_providers.aws_lambda.template.endpoint import endpoint_output, endpoint_resources
from preheat_providers.aws_lambda.template.function import function_resources
from preheat_providers.aws_lambda.template.jobs import memory_resources
from preheat_providers.aws_lambda.template.queues import queue_resources
from preheat_providers.aws_lambda.template.role import role_resources
from preheat_providers.aws_lambda.template.schedules import schedule_resources
from preheat_providers.aws_lambda.template.uploads import upload_resources
from preheat_providers.aws_lambda.template.variables import parameters_of
from preheat_providers.aws_lambda.template.wanted import Wanted
from preheat_providers.aws_lambda.template.warm import warm_resources

ROOMS = (
    role_resources,
    function_resources,
    endpoint_resources,
    memory_resources,
    upload_resources,
    queue_resources,
    schedule_resources,
    warm_resources,
    alarm_resources,
)


def template_of(wanted: Wanted) -> Json:
    """Return the template of `wanted`: JSON values, the same for the same input."""
    resources: Resources = {}
    for room in ROOMS:
        resources |= room(wanted)
    return document_of(
        wanted.project,
        parameters=parameters_of(wanted),
        resources=resources,
        outputs=_outputs(wanted, resources),
    )


def _outputs(wanted: Wanted, resources: Resources) -> Json:
    version = next(name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Version")
    values: Json = {
        "Endpoint": endpoint_output(wanted),
        "Function": ref("Function"),
        "Version": att(version, "Version"),
    }
    if wanted.options.jobs:
        values["JobsBucket"] = ref("JobsBucket")
    return values
