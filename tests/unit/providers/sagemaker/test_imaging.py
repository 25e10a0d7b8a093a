import pytest

from preheat.errors import ProviderError
from preheat_providers.sagemaker.imaging import base_of, check_size
from preheat_providers.sagemaker.limits import IMAGE_BYTES
from preheat_providers.sagemaker.options import Options


def test_an_image_that_no_serverless_endpoint_takes_is_refused_and_others_take_it() -> None:
    with pytest.raises(ProviderError, match=r"10,737,418,241 bytes packed") as caught:
        check_size(IMAGE_BYTES + 1, Options(mode="serverless"))
    assert 'mode = "async"' in str(caught.value.hint)
    check_size(IMAGE_BYTES, Options(mode="serverless"))
    check_size(IMAGE_BYTES + 1, Options(mode="async"))


def test_who_names_no_base_builds_on_that_of_the_python() -> None:
    assert base_of(Options(), "3.13") == "python:3.13-slim"
    assert (
        base_of(Options(base_image="registry.example.org/cuda:13"), "3.13") == "registry.example.org/cuda:13"
    )
