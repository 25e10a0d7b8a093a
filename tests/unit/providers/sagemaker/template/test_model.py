from typing import Any

import pytest
from tests.fakes.lambda_templates import properties, statements
from tests.fakes.sagemaker_templates import IMAGE, KEY, WEIGHTS, template

from preheat.project.model import Resources, Scaling
from preheat_providers.sagemaker.options import Options


def variant(made: dict[str, Any]) -> dict[str, Any]:
    (found,) = properties(made, "EndpointConfig")["ProductionVariants"]
    return dict(found)


def test_the_image_is_named_by_its_digest_in_the_repository_of_the_project() -> None:
    image = properties(template(), "Model")["PrimaryContainer"]["Image"]["Fn::Sub"]
    registry, _, rest = image.partition("/")
    assert registry == "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
    assert rest == f"preheat/ocr/dev@{IMAGE}"


def test_a_change_of_code_changes_the_model_and_with_it_the_config_that_the_endpoint_runs() -> None:
    before, after = template(), template(image=f"sha256:{'1' * 64}", digest=f"sha256:{'2' * 64}")
    changed = {name for name in before["Resources"] if before["Resources"][name] != after["Resources"][name]}
    assert changed == {"Model", "EndpointConfig"}
    assert variant(after)["ModelName"] == {"Fn::GetAtt": ["Model", "ModelName"]}
    endpoint = properties(after, "Endpoint")
    assert endpoint["EndpointConfigName"] == {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}


@pytest.mark.parametrize("name", ["Model", "EndpointConfig"])
def test_what_is_replaced_stays_to_roll_back_to_and_says_what_it_is(name: str) -> None:
    made = template(digest="sha256:42")
    assert made["Resources"][name]["UpdateReplacePolicy"] == "Retain"
    assert "ModelName" not in properties(made, "Model"), "a name of its own could not be taken twice"
    tags = {each["Key"]: each["Value"] for each in properties(made, name)["Tags"]}
    assert tags == {"preheat:name": "ocr", "preheat:stage": "dev", "preheat:digest": "sha256:42"}


def test_jobs_have_a_place_for_results_and_for_failures() -> None:
    config = properties(template(), "EndpointConfig")["AsyncInferenceConfig"]
    assert config == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {
            "S3OutputPath": {"Fn::Sub": "s3://${Jobs}/outputs/"},
            "S3FailurePath": {"Fn::Sub": "s3://${Jobs}/failures/"},
        },
    }


def test_the_container_reads_inputs_and_writes_answers_in_its_own_folders_alone() -> None:
    made = template(options=Options(output_bucket="team-results"))
    folder = "arn:${AWS::Partition}:s3:::team-results/preheat/ocr/dev.endpoint"
    assert statements(made)["Inputs"]["Resource"] == [{"Fn::Sub": f"{folder}/inputs/*"}]
    assert statements(made)["Results"]["Resource"] == [
        {"Fn::Sub": f"{folder}/outputs/*"},
        {"Fn::Sub": f"{folder}/failures/*"},
    ]


def test_a_bucket_of_theirs_gets_a_folder_of_the_function() -> None:
    made = template(options=Options(output_bucket="team-results", notify=True, kms_key=KEY), concurrent=None)
    config = properties(made, "EndpointConfig")["AsyncInferenceConfig"]
    assert config == {
        "OutputConfig": {
            "S3OutputPath": "s3://team-results/preheat/ocr/dev.endpoint/outputs/",
            "S3FailurePath": "s3://team-results/preheat/ocr/dev.endpoint/failures/",
            "KmsKeyId": KEY,
            "NotificationConfig": {
                "SuccessTopic": {"Ref": "ResultTopic"},
                "ErrorTopic": {"Ref": "FailureTopic"},
            },
        }
    }
    assert "Jobs" not in made["Resources"]
    assert statements(made)["Topics"]["Resource"] == [{"Ref": "ResultTopic"}, {"Ref": "FailureTopic"}]


def test_an_endpoint_begins_with_an_instance_even_where_none_is_kept() -> None:
    assert variant(template(scaling=Scaling(min=0)))["InitialInstanceCount"] == 1
    assert variant(template(scaling=Scaling(min=3)))["InitialInstanceCount"] == 3


def test_the_image_of_the_machine_is_named_where_it_is_known() -> None:
    on_gpu = Resources(gpu="L4", memory_mb=8192)
    chosen = template(options=Options(ami="al2023-ami-sagemaker-inference-gpu-4-1"), resources=on_gpu)
    assert variant(chosen)["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert "InferenceAmiVersion" not in variant(template(resources=on_gpu))


def test_scratch_space_beyond_the_usual_is_a_larger_volume() -> None:
    assert variant(template(resources=Resources(tmp_mb=40 * 1024)))["VolumeSizeInGB"] == 56
    assert "VolumeSizeInGB" not in variant(template())


def test_weights_from_s3_come_unpacked_and_may_take_as_long_as_the_start() -> None:
    made = template(options=Options(weights="s3", startup_timeout_s=900))
    source = properties(made, "Model")["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    folder = f"preheat/ocr/dev.endpoint/weights/{WEIGHTS.removeprefix('sha256:')}/"
    assert source == {
        "S3Uri": {"Fn::Sub": f"s3://${{ArtifactBucket}}/{folder}"},
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    assert variant(made)["ModelDataDownloadTimeoutInSeconds"] == 900
    assert variant(made)["ContainerStartupHealthCheckTimeoutInSeconds"] == 900
    allowed = statements(made)["Weights"]["Resource"]
    assert allowed == [{"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{folder}*"}]


@pytest.mark.parametrize(("asked", "given"), [(512, 1024), (1024, 1024), (1025, 2048), (9000, 6144)])
def test_a_serverless_endpoint_has_memory_by_the_gigabyte(asked: int, given: int) -> None:
    made = template(options=Options(mode="serverless"), resources=Resources(memory_mb=asked))
    assert variant(made)["ServerlessConfig"] == {"MemorySizeInMB": given, "MaxConcurrency": 5}
    assert "InstanceType" not in variant(made)
    assert "DeploymentConfig" not in properties(made, "Endpoint")


def test_a_secret_is_a_parameter_that_nobody_reads_and_its_change_a_change_of_the_model() -> None:
    made = template(secrets={"HUB_TOKEN": "env:HUB_TOKEN"}, secrets_mark="42")
    reference = properties(made, "Model")["PrimaryContainer"]["Environment"]["HUB_TOKEN"]
    assert made["Parameters"][reference["Ref"]] == {"Type": "String", "NoEcho": True}
    assert made["Resources"]["Model"]["Metadata"] == {"SecretsMark": "42"}
