from pathlib import Path
from typing import get_args

import botocore.session
import pytest
from tests.fakes.sagemaker_templates import project

from preheat.bundle.model import Bundle, Layer
from preheat.project.model import Resources
from preheat_providers.sagemaker.gpu_host import NEWEST, ami_of, cuda_of, unknown_driver
from preheat_providers.sagemaker.options import Ami, Options
from preheat_providers.sagemaker.target import target_of

ON_GPU = project(resources=Resources(gpu="L4", memory_mb=8192))
CUDA_12, CUDA_13 = "nvidia_cuda_runtime_cu12-12.9.79", "nvidia_cuda_runtime-13.0.96"


def bundle(folder: Path, *packages: str) -> Bundle:
    for package in packages:
        (folder / f"{package}.dist-info").mkdir()
    layer = Layer(name="dependencies", digest="sha256:0", bytes=0, path=folder)
    target = target_of(ON_GPU, Options())
    return Bundle(
        digest="sha256:1", target=target, layers=(layer,), sizes=(), path=folder, cached=False, contract=None
    )


def test_the_images_are_those_that_sagemaker_lists() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.shape_for("ProductionVariantInferenceAmiVersion")
    assert sorted(get_args(Ami)) == sorted(shape.metadata["enum"])


@pytest.mark.parametrize(
    ("packages", "cuda", "ami"),
    [
        ([CUDA_13, "nvidia_cublas-13.1.0.3"], 13, NEWEST),
        ([CUDA_12, "nvidia_cudnn_cu12-9.1"], 12, None),
        (["numpy-2.1.0"], None, None),
    ],
)
def test_the_driver_is_one_that_runs_the_cuda_of_the_packages(
    packages: list[str], cuda: int | None, ami: Ami | None, tmp_path: Path
) -> None:
    built = bundle(tmp_path, *packages)
    assert cuda_of(built) == cuda
    assert ami_of(ON_GPU, Options(), built) == ami


def test_the_option_decides_and_a_machine_without_gpus_has_no_driver(tmp_path: Path) -> None:
    built = bundle(tmp_path, CUDA_13)
    assert ami_of(ON_GPU, Options(ami="al2-ami-sagemaker-inference-gpu-3-1"), built) != NEWEST
    assert ami_of(project(), Options(), built) is None


def test_cuda_that_no_package_brings_is_remarked_on(tmp_path: Path) -> None:
    bare = bundle(tmp_path)
    note = unknown_driver(ON_GPU, Options(), bare)
    assert note is not None
    assert f'ami = "{NEWEST}"' in note
    assert unknown_driver(ON_GPU, Options(ami=NEWEST), bare) is None
    assert unknown_driver(project(), Options(), bare) is None
    assert unknown_driver(ON_GPU, Options(), bundle(tmp_path, CUDA_12)) is None
