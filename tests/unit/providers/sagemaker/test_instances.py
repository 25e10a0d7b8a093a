from typing import Any

import botocore.session
import pytest
from tests.fakes.sagemaker_templates import project

from preheat.project.model import Resources
from preheat_providers.sagemaker.instances import (
    INSTANCES,
    GpuNeed,
    Instance,
    cheapest,
    fits,
    gpu_need,
    instance_of,
    kinds,
    unusable,
    volume_gb,
)
from preheat_providers.sagemaker.options import Options

REALTIME = Options(mode="realtime")


def name_for(options: Options = REALTIME, **resources: Any) -> str | None:
    machine = cheapest(project(resources=Resources(**resources)), options)
    return machine.name if machine else None


def test_every_machine_is_one_of_sagemaker() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    known = model.shape_for("ProductionVariantInstanceType").metadata["enum"]
    assert set(INSTANCES) <= set(known)


def test_a_machine_has_gpus_if_and_only_if_they_have_a_name() -> None:
    for machine in INSTANCES.values():
        assert bool(machine.gpus) == bool(machine.gpu) == bool(machine.gpu_gb), machine.name


def test_every_machine_of_sagemaker_can_be_named_unless_its_processors_are_arm() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    said = {
        name: unusable(name) for name in model.shape_for("ProductionVariantInstanceType").metadata["enum"]
    }
    refused = {name.split(".")[1] for name, problem in said.items() if problem is not None}
    graviton = {"c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"}
    assert refused == graviton | {"p6e-gb200"}
    assert all("ARM" in problem for problem in said.values() if problem is not None)


def test_a_machine_that_the_table_lacks_has_a_name_and_no_size() -> None:
    machine = instance_of(project(), Options(instance_type="ml.g6.24xlarge"))
    assert machine == Instance(name="ml.g6.24xlarge")
    assert machine.price(None) is None


@pytest.mark.parametrize(
    ("name", "tmp_mb", "fetched", "size"),
    [
        ("ml.m5.large", 512, 0, None),
        ("ml.m5.large", 513, 0, 17),
        ("ml.c5.xlarge", 40 * 1024, 0, 56),
        ("ml.c5.xlarge", 512, 30 << 30, 47),
        ("ml.m5.large", 512 * 1024, 0, 512),
        ("ml.g5.xlarge", 40 * 1024, 30 << 30, None),
        ("ml.m6i.large", 40 * 1024, 0, None),
    ],
)
def test_a_volume_is_as_large_as_what_is_asked_for_wants_it_and_disks_of_their_own_stay(
    name: str, tmp_mb: int, fetched: int, size: int | None
) -> None:
    machine = instance_of(project(), Options(instance_type=name))
    assert volume_gb(project(resources=Resources(tmp_mb=tmp_mb)), machine, fetched=fetched) == size


@pytest.mark.parametrize(
    ("text", "need"),
    [
        (None, None),
        ("T4", GpuNeed("T4", 1)),
        ("a10g", GpuNeed("A10G", 1)),
        ("A10", GpuNeed("A10G", 1)),
        ("H100:8", GpuNeed("H100", 8)),
        ("any:2", GpuNeed(None, 2)),
        ("B9000", GpuNeed("B9000", 1)),
    ],
)
def test_a_need_is_a_kind_and_a_number(text: str | None, need: GpuNeed | None) -> None:
    assert gpu_need(text) == need


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ({}, "ml.c5.large"),
        ({"memory_mb": 5000}, "ml.m5.large"),
        ({"cpu": 3.0}, "ml.c5.xlarge"),
        ({"gpu": "T4"}, "ml.g4dn.xlarge"),
        ({"gpu": "L4"}, "ml.g6.xlarge"),
        ({"gpu": "A10G:2"}, "ml.g5.12xlarge"),
        ({"gpu": "A10G:8"}, "ml.g5.48xlarge"),
        ({"gpu": "any", "memory_mb": 60_000}, "ml.g6.4xlarge"),
        ({"gpu": "H100:8"}, "ml.p5.48xlarge"),
        ({"gpu": "H100:9"}, None),
        ({"gpu": "B9000"}, None),
        ({"memory_mb": 4_000_000}, None),
    ],
)
def test_a_project_gets_the_cheapest_machine_that_holds_it(
    resources: dict[str, Any], name: str | None
) -> None:
    assert name_for(**resources) == name


def test_nobody_gets_a_machine_that_some_regions_lack_for_queues_without_having_named_it() -> None:
    assert name_for(Options(), gpu="T4") == "ml.g4dn.2xlarge"
    named = Options(instance_type="ml.g4dn.xlarge")
    assert instance_of(project(resources=Resources(gpu="T4")), named) == INSTANCES["ml.g4dn.xlarge"]


def test_who_asks_for_no_gpu_pays_for_none() -> None:
    assert not fits(INSTANCES["ml.g5.xlarge"], project())


def test_a_serverless_endpoint_has_no_machine() -> None:
    assert instance_of(project(), Options(mode="serverless", instance_type="ml.c5.large")) is None


def test_gpus_are_named_once() -> None:
    assert len(set(kinds())) == len(kinds())
