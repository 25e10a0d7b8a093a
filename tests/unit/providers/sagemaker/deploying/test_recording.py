from tests.fakes.sagemaker_templates import WEIGHTS, template

from preheat_providers.sagemaker.deploying.recording import weights_in
from preheat_providers.sagemaker.options import Options


def test_weights_are_found_where_sagemaker_fetches_them() -> None:
    assert weights_in(template()) is None
    found = weights_in(template(options=Options(weights="s3")))
    assert found == f"preheat/ocr/dev.endpoint/weights/{WEIGHTS.removeprefix('sha256:')}/"
