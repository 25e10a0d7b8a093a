import json

from tests.fakes.lambda_templates import properties
from tests.fakes.sagemaker_templates import KEY

from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.images import SPARE_IMAGES, images_template_of


def test_images_of_every_kept_release_stay_and_some_more() -> None:
    made = images_template_of("ocr", "dev", Options(keep_releases=4))
    text = properties(made, "Images")["LifecyclePolicy"]["LifecyclePolicyText"]
    (rule,) = json.loads(text)["rules"]
    assert rule["selection"] == {
        "tagStatus": "any",
        "countType": "imageCountMoreThan",
        "countNumber": 4 + SPARE_IMAGES,
    }
    assert rule["action"] == {"type": "expire"}


def test_a_tag_never_moves_and_a_destroy_takes_the_images_along() -> None:
    repository = properties(images_template_of("ocr", "dev", Options()), "Images")
    assert repository["RepositoryName"] == "preheat/ocr/dev"
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["EmptyOnDelete"] is True


def test_a_key_encrypts_them() -> None:
    repository = properties(images_template_of("ocr", "dev", Options(kms_key=KEY)), "Images")
    assert repository["EncryptionConfiguration"] == {"EncryptionType": "KMS", "KmsKey": KEY}
