"""The function: its layers, its log group, the version published of it, and the alias that is called."""

import hashlib
import json
from typing import Any

from preheat_providers._aws.templates.images import image_uri
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource
from preheat_providers.aws_lambda.shipped.container import HANDLER
from preheat_providers.aws_lambda.target import PYTHON, ArchiveName
from preheat_providers.aws_lambda.template.names import ALIAS, describe, log_group
from preheat_providers.aws_lambda.template.variables import variables_of
from preheat_providers.aws_lambda.template.wanted import Wanted

LAYERS: dict[ArchiveName, str] = {"libraries": "Libraries", "weights": "Weights"}
"""The layers that a function may have, by the archives that hold them."""

IMAGE = "Image"
"""The type of a package that is no archive."""

RESERVED = "ReservedConcurrentExecutions"
"""A property of the function that its versions do not keep."""

SECRETS_MARK = "SecretsMark"
"""The metadata of the function that changes with the value of any secret."""


def function_resources(wanted: Wanted) -> Resources:
    """Return them, the version under a name that changes with anything that it would keep."""
    properties = _properties(wanted)
    layers = _layers(wanted)
    mark = _mark(wanted, properties, layers)
    version = f"Version{mark}"
    # Lambda publishes nothing when neither code nor configuration differ from the last version, and a
    # direct deploy may just have published this code: the text makes what the stack publishes differ.
    properties["Description"] = f"preheat: {wanted.project.name} at {wanted.project.stage}, {mark}"
    metadata = {"Metadata": {SECRETS_MARK: wanted.secrets_mark}} if wanted.secrets_mark else {}
    return {
        **layers,
        "LogGroup": _log_group(wanted),
        "Function": resource("AWS::Lambda::Function", properties, **metadata),
        version: resource(
            "AWS::Lambda::Version",
            {
                "FunctionName": ref("Function"),
                "Description": describe(wanted.digest, wanted.code),
            },
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        ),
        "Alias": _alias(wanted, version),
    }


def _properties(wanted: Wanted) -> Json:
    project, options = wanted.project, wanted.options
    return {
        "FunctionName": wanted.function,
        "Role": att("Role"),
        **(_archives(wanted) if wanted.image is None else _image(wanted.image)),
        "Architectures": [options.architecture],
        "MemorySize": project.resources.memory_mb,
        "EphemeralStorage": {"Size": project.resources.tmp_mb},
        "Timeout": wanted.timeout_s,
        "Environment": {"Variables": variables_of(wanted)},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": ref("LogGroup")},
        "TracingConfig": {"Mode": "Active" if options.tracing else "PassThrough"},
        RESERVED: options.reserved_concurrency,
    }


def _archives(wanted: Wanted) -> Json:
    project, options = wanted.project, wanted.options
    return {
        "Runtime": f"python{project.python or PYTHON}",
        "Handler": HANDLER,
        "Code": _content(wanted.keys["function"]),
        "Layers": [ref(LAYERS[name]) for name in LAYERS if name in wanted.keys],
        "SnapStart": {"ApplyOn": "PublishedVersions" if options.warm == "snapstart" else "None"},
    }


def _image(image: str) -> Json:
    """Return what starts: the image itself says how, and has neither layers nor snapshots."""
    return {"PackageType": IMAGE, "Code": {"ImageUri": image_uri(image)}}


def _layers(wanted: Wanted) -> Resources:
    project, options = wanted.project, wanted.options
    return {
        LAYERS[name]: resource(
            "AWS::Lambda::LayerVersion",
            {
                "LayerName": f"{wanted.function}-{name}",
                "Content": _content(wanted.keys[name]),
                "CompatibleRuntimes": [f"python{project.python or PYTHON}"],
                "CompatibleArchitectures": [options.architecture],
            },
        )
        for name in LAYERS
        if name in wanted.keys
    }


def _content(key: str) -> Json:
    return {"S3Bucket": ref("ArtifactBucket"), "S3Key": key}


def _log_group(wanted: Wanted) -> Json:
    name = log_group(wanted.project.name, wanted.project.stage)
    return resource("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": wanted.options.log_days})


def _alias(wanted: Wanted, version: str) -> Json:
    options = wanted.options
    fixed = options.warm == "provisioned" and not options.scales_provisioned
    ready = {"ProvisionedConcurrentExecutions": options.provisioned} if fixed else None
    return resource(
        "AWS::Lambda::Alias",
        {
            "FunctionName": ref("Function"),
            "FunctionVersion": att(version, "Version"),
            "Name": ALIAS,
            "ProvisionedConcurrencyConfig": ready,
        },
    )


def _mark(wanted: Wanted, properties: Json, layers: Resources) -> str:
    kept: dict[str, Any] = {
        "digest": wanted.digest,
        "function": {name: value for name, value in properties.items() if name != RESERVED},
        "layers": layers,
        "secrets": wanted.secrets_mark,
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]
