from tests.fakes.lambda_templates import iam_matches, properties, substituted

from preheat_providers.aws_lambda.template.images import images_template_of
from preheat_providers.aws_lambda.template.names import image_stack_name, repository_name
from preheat_providers.sagemaker.template import names as sagemaker


def test_lambda_may_read_the_images_for_this_function() -> None:
    policy = properties(images_template_of("ocr", "dev"), "Images")["RepositoryPolicyText"]
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    pattern = substituted(statement["Condition"]["StringLike"]["aws:SourceArn"]["Fn::Sub"])
    function = "arn:aws:lambda:eu-central-1:111122223333:function:preheat-ocr-dev"
    assert iam_matches(pattern, function)
    assert iam_matches(pattern, f"{function}:7")
    assert not iam_matches(pattern, function.replace("ocr", "fraud"))


def test_no_rule_removes_the_image_that_the_stack_has() -> None:
    repository = properties(images_template_of("ocr", "dev"), "Images")
    assert "LifecyclePolicy" not in repository
    assert (repository["ImageTagMutability"], repository["EmptyOnDelete"]) == ("IMMUTABLE", True)


def test_the_same_name_and_stage_on_sagemaker_has_a_stack_and_a_repository_of_its_own() -> None:
    assert image_stack_name("ocr", "dev") != sagemaker.image_stack_name("ocr", "dev")
    assert repository_name("ocr", "dev") != sagemaker.repository_name("ocr", "dev")
    assert repository_name("a--b-", "dev") == "preheat/a-b/dev/function"
