"""What the deploy role may do for endpoints of SageMaker, beside `deploying` and `images`. Pure.

CloudFormation names a model and its configuration after their logical ids and not after the stack
(github.com/aws/aws-cli/issues/4021), so that no name narrows these: their tags do, as in a policy of AWS:
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerHyperPodInferenceAccess.html
"""

from preheat_providers._aws.bootstrap.statements import (
    LOG_ACTIONS,
    PREFIX,
    ROLES,
    SCALING_ACTIONS,
    Statement,
    allow,
    here,
    linked_role,
)
from preheat_providers._aws.templates.names import NAME_TAG

MARKED = {"Null": {f"aws:RequestTag/{NAME_TAG}": "false"}}
OURS = {"Null": {f"aws:ResourceTag/{NAME_TAG}": "false"}}
ENDPOINTS = here("sagemaker", f"endpoint/{PREFIX}")
MODELS, CONFIGS = here("sagemaker", "model/*"), here("sagemaker", "endpoint-config/*")
TARGETS = here("application-autoscaling", "scalable-target/*")


def statements() -> tuple[Statement, ...]:
    """Return all of them."""
    return (*_models(), *_endpoints(), *_scaling(), *_around())


def _models() -> tuple[Statement, ...]:
    making = {"StringEquals": {"sagemaker:TaggingAction": ["CreateEndpointConfig", "CreateModel"]}}
    changed = ["AddTags", "DeleteEndpointConfig", "DeleteModel", "DeleteTags"]
    # Not by tag: CloudFormation asks for what is not there yet, or no more, and what is not there has none.
    reads = ["DescribeEndpointConfig", "DescribeModel", "ListTags"]
    kinds = [MODELS, CONFIGS]
    return (
        allow("NewModels", "sagemaker", ["CreateEndpointConfig", "CreateModel"], kinds, MARKED),
        allow("NewModelTags", "sagemaker", ["AddTags"], kinds, making),
        allow("OurModels", "sagemaker", changed, kinds, OURS),
        allow("Models", "sagemaker", reads, kinds),
    )


def _endpoints() -> tuple[Statement, ...]:
    changed = ["CreateEndpoint", "UpdateEndpoint"]
    rest = ["AddTags", "DeleteEndpoint", "DeleteTags", "DescribeEndpoint", "ListTags"]
    # Application Auto Scaling asks whoever sets a range of instances whether they could change it:
    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    rest += ["InvokeEndpoint", "InvokeEndpointAsync", "UpdateEndpointWeightsAndCapacities"]
    return (
        allow("Endpoints", "sagemaker", [*changed, *rest], [ENDPOINTS]),
        allow("EndpointsOfOurs", "sagemaker", changed, [CONFIGS], OURS),
    )


def _scaling() -> tuple[Statement, ...]:
    ours = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
    tracking = here("cloudwatch", f"alarm:TargetTracking-endpoint/{PREFIX}")
    return (
        allow("EndpointScaling", "application-autoscaling", SCALING_ACTIONS, [TARGETS], ours),
        allow("EndpointTracking", "cloudwatch", ["DeleteAlarms", "PutMetricAlarm"], [tracking]),
        linked_role("EndpointScalingRole", "sagemaker.application-autoscaling.amazonaws.com"),
    )


def _around() -> tuple[Statement, ...]:
    topics = ["CreateTopic", "DeleteTopic", "GetDataProtectionPolicy", "GetTopicAttributes"]
    topics += ["ListSubscriptionsByTopic", "ListTagsForResource", "SetTopicAttributes"]
    topics += ["TagResource", "UntagResource"]
    groups = here("logs", f"log-group:/aws/sagemaker/Endpoints/{PREFIX}")
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return (
        allow("EndpointRoles", "iam", ["PassRole"], [ROLES], to_sagemaker),
        allow("Topics", "sns", topics, [here("sns", PREFIX)]),
        allow("EndpointLogs", "logs", LOG_ACTIONS, [groups]),
        allow("Quotas", "servicequotas", ["ListAWSDefaultServiceQuotas", "ListServiceQuotas"], ["*"]),
    )
