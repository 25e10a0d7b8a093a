"""What the templates say of SageMaker and of scaling, sent to moto by real boto3: it takes and keeps it.

moto has no CloudFormation for scaling policies and alarms, starts nothing, says nothing of a DeploymentConfig
and leaves AsyncInferenceConfig out of endpoints (of configs it keeps it): so each resource is one call here,
checked against the model of the API by botocore, and read back.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from tests.fakes.lambda_templates import properties, substituted
from tests.fakes.sagemaker_templates import DAY, IMAGE, KEY, NIGHT, UPLOAD, template

from preheat.project.model import Resources, Scaling
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.images import SPARE_IMAGES, images_template_of

ACCOUNT = "123456789012"
NAMES = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "Jobs": "jobs-bucket",
    "ArtifactBucket": "artifacts",
    "ResultTopic": f"arn:aws:sns:us-east-1:{ACCOUNT}:results",
    "FailureTopic": f"arn:aws:sns:us-east-1:{ACCOUNT}:failures",
    "ErrorAlarm": "preheat-ocr-dev-endpoint-errors",
    "Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/preheat",
    "Model.ModelName": "the-model",
    "EndpointConfig.EndpointConfigName": "the-config",
    "HUB": "secret",
}


def filled(value: Any, **more: str) -> Any:
    """The value with what CloudFormation fills in."""
    names = NAMES | more
    match value:
        case {"Ref": str(name)}:
            return names[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return names[f"{name}.{attribute}"]
        case {"Fn::Sub": str(text)}:
            return substituted(text, **names)
        case dict():
            return {key: filled(each, **more) for key, each in value.items()}
        case list():
            return [filled(each, **more) for each in value]
        case _:
            return value


class Account:
    """Clients of one empty account."""

    def __init__(self, endpoint: str) -> None:
        self.clients = {
            name: boto3.client(name, endpoint_url=endpoint, region_name="us-east-1")
            for name in ("sagemaker", "application-autoscaling", "cloudwatch", "ecr")
        }

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Call an operation with what a template says."""
        answer: Mapping[str, Any] = getattr(self.clients[service], operation)(**parameters)
        return answer

    def apply_endpoint(self, made: dict[str, Any]) -> None:
        """Make the model, the config and the endpoint."""
        self.call("sagemaker", "create_model", ModelName="the-model", **filled(properties(made, "Model")))
        config = filled(properties(made, "EndpointConfig"))
        self.call("sagemaker", "create_endpoint_config", EndpointConfigName="the-config", **config)
        endpoint = filled(properties(made, "Endpoint"))
        endpoint.pop("RetainAllVariantProperties", None)  # a parameter of updates, checked below
        self.call("sagemaker", "create_endpoint", **endpoint)

    def apply_scaling(self, made: dict[str, Any]) -> None:
        """Register the range, its hours and the policies, and the alarm that wakes."""
        target = properties(made, "Instances")
        actions = target.pop("ScheduledActions", [])
        self.call("application-autoscaling", "register_scalable_target", **target)
        dimension = {key: target[key] for key in ("ServiceNamespace", "ScalableDimension", "ResourceId")}
        for action in actions:
            self.call("application-autoscaling", "put_scheduled_action", **dimension, **action)
        arns = {}
        for name in ("BacklogPolicy", "LoadPolicy", "WakePolicy"):
            if name in made["Resources"]:
                policy = {
                    key: each for key, each in properties(made, name).items() if key != "ScalingTargetId"
                }
                answer = self.call("application-autoscaling", "put_scaling_policy", **dimension, **policy)
                arns[name] = answer["PolicyARN"]
        if "WakeAlarm" in made["Resources"]:
            self.call("cloudwatch", "put_metric_alarm", **filled(properties(made, "WakeAlarm"), **arns))


@pytest.fixture
def account(s3_endpoint: str) -> Iterator[Account]:
    made = Account(s3_endpoint)
    yield made
    for client in made.clients.values():
        client.close()


def test_an_asynchronous_endpoint_is_taken_and_its_configuration_kept(account: Account) -> None:
    made = template(
        UPLOAD,
        options=Options(notify=True, kms_key=KEY, weights="s3", canary_percent=50),
        scaling=Scaling(min=2),
        resources=Resources(gpu="T4:4"),
    )
    account.apply_endpoint(made)
    config = account.call("sagemaker", "describe_endpoint_config", EndpointConfigName="the-config")
    assert config["AsyncInferenceConfig"] == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {
            "KmsKeyId": KEY,
            "S3OutputPath": "s3://jobs-bucket/outputs/",
            "S3FailurePath": "s3://jobs-bucket/failures/",
            "NotificationConfig": {
                "SuccessTopic": NAMES["ResultTopic"],
                "ErrorTopic": NAMES["FailureTopic"],
            },
        },
    }
    (variant,) = config["ProductionVariants"]
    assert (variant["VariantName"], variant["InstanceType"]) == ("main", "ml.g4dn.12xlarge")
    assert variant["InitialInstanceCount"] == 2
    model = account.call("sagemaker", "describe_model", ModelName="the-model")
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert model["PrimaryContainer"]["Image"] == f"{registry}/preheat/ocr/dev@{IMAGE}"
    endpoint = account.call("sagemaker", "describe_endpoint", EndpointName="preheat-ocr-dev")
    assert endpoint["EndpointConfigName"] == "the-config"


@pytest.mark.parametrize("mode", ["realtime", "serverless"])
def test_the_other_modes_are_taken_too(account: Account, mode: Any) -> None:
    account.apply_endpoint(template(options=Options(mode=mode), scaling=Scaling(min=1)))
    config = account.call("sagemaker", "describe_endpoint_config", EndpointConfigName="the-config")
    assert "AsyncInferenceConfig" not in config


def test_an_update_is_one_of_the_api() -> None:
    """moto answers 500 to it, so that only the model of the API judges here."""
    from botocore.session import get_session
    from botocore.validate import validate_parameters

    made = filled(
        properties(template(options=Options(canary_percent=50), scaling=Scaling(min=2)), "Endpoint")
    )
    made.pop("Tags")
    operation = get_session().get_service_model("sagemaker").operation_model("UpdateEndpoint")
    assert operation.input_shape is not None
    validate_parameters(made, operation.input_shape)


def test_scaling_from_zero_is_kept_field_by_field(account: Account) -> None:
    made = template(options=Options(backlog=3, schedule=(DAY, NIGHT)), scaling=Scaling(max=9, idle_s=120))
    account.apply_endpoint(made)
    account.apply_scaling(made)
    here = {"ServiceNamespace": "sagemaker"}
    (target,) = account.call("application-autoscaling", "describe_scalable_targets", **here)[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 9)
    assert target["ResourceId"] == "endpoint/preheat-ocr-dev/variant/main"
    found = account.call("application-autoscaling", "describe_scaling_policies", **here)["ScalingPolicies"]
    policies = {each["PolicyName"]: each for each in found}
    assert policies["backlog"]["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 3.0,
        "CustomizedMetricSpecification": {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": "preheat-ocr-dev"}],
            "Statistic": "Average",
        },
        "ScaleOutCooldown": 300,
        "ScaleInCooldown": 120,
    }
    assert policies["wake"]["StepScalingPolicyConfiguration"] == {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        "Cooldown": 300 + 600,
        "MetricAggregationType": "Average",
    }
    alarms = account.call("cloudwatch", "describe_alarms", AlarmNames=["preheat-ocr-dev-endpoint-wake"])
    (alarm,) = alarms["MetricAlarms"]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (1.0, 60, 2)
    assert (alarm["DatapointsToAlarm"], alarm["TreatMissingData"]) == (2, "missing")
    assert alarm["AlarmActions"] == [policies["wake"]["PolicyARN"]]
    actions = account.call("application-autoscaling", "describe_scheduled_actions", **here)
    hours = {each["ScheduledActionName"]: each for each in actions["ScheduledActions"]}
    assert hours["hours-0"]["Schedule"] == "cron(0 8 ? * 2-6 *)"
    assert hours["hours-0"]["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 5}
    assert hours["hours-1"]["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 2}


def test_a_real_time_endpoint_has_one_policy(account: Account) -> None:
    made = template(options=Options(mode="realtime"), scaling=Scaling(min=1))
    account.apply_endpoint(made)
    account.apply_scaling(made)
    found = account.call("application-autoscaling", "describe_scaling_policies", ServiceNamespace="sagemaker")
    (policy,) = found["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert (metric, tracking["TargetValue"]) == ("SageMakerVariantInvocationsPerInstance", 70.0)


def test_the_repository_and_its_lifecycle_are_taken(account: Account) -> None:
    repository = properties(images_template_of("ocr", "dev", Options(keep_releases=4)), "Images")
    made = {"repositoryName": repository["RepositoryName"], "imageTagMutability": "IMMUTABLE"}
    account.call("ecr", "create_repository", **made)
    account.call(
        "ecr",
        "put_lifecycle_policy",
        repositoryName="preheat/ocr/dev",
        lifecyclePolicyText=repository["LifecyclePolicy"]["LifecyclePolicyText"],
    )
    found = account.call("ecr", "get_lifecycle_policy", repositoryName="preheat/ocr/dev")
    assert f'"countNumber": {4 + SPARE_IMAGES}' in found["lifecyclePolicyText"]
