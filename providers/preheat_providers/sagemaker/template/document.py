"""The whole template: one CloudFormation document for one function at one stage."""

from preheat_providers._aws.templates.document import document_of
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref
from preheat_providers.sagemaker.template.endpoint import endpoint_resources
from preheat_providers.sagemaker.template.front import front_resources
from preheat_providers.sagemaker.template.model import model_resources
from preheat_providers.sagemaker.template.role import role_resources
from preheat_providers.sagemaker.template.scaling import scaling_resources
from preheat_providers.sagemaker.template.storage import bucket_name, storage_resources
from preheat_providers.sagemaker.template.uploads import FUNCTION, LOST, upload_resources
from preheat_providers.sagemaker.template.variables import parameters_of
from preheat_providers.sagemaker.template.wanted import Wanted

ROOMS = (
    role_resources,
    storage_resources,
    model_resources,
    endpoint_resources,
    scaling_resources,
    front_resources,
    upload_resources,
)


def template_of(wanted: Wanted) -> Json:
    """Return the template of `wanted`: JSON values, the same for the same input."""
    resources: Resources = {}
    for room in ROOMS:
        resources |= room(wanted)
    return document_of(
        wanted.project, parameters=parameters_of(wanted), resources=resources, outputs=_outputs(wanted)
    )


def _outputs(wanted: Wanted) -> Json:
    values: Json = {
        "Endpoint": att("Url", "FunctionUrl"),
        "EndpointName": att("Endpoint", "EndpointName"),
        "EndpointConfig": att("EndpointConfig", "EndpointConfigName"),
        "Model": att("Model", "ModelName"),
        "Front": ref("Front"),
    }
    if wanted.is_async:
        values["JobsBucket"] = bucket_name(wanted)
    if wanted.is_async and wanted.uploads:
        values |= {"Uploads": ref(FUNCTION), "LostUploads": ref(LOST)}
    return values
