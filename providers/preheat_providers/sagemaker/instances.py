"""The machines of SageMaker that preheat knows, others by their name, and the one a project gets. Pure.

Sizes are those of the EC2 instances of the same name. Not compared here with what AWS lists:
https://aws.amazon.com/ec2/instance-types/ and https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
"""

import re
from dataclasses import dataclass
from math import ceil, inf

from preheat.project.model import Project, Resources
from preheat_providers._aws.prices.table import Prices
from preheat_providers.sagemaker.options import Options

GB = 1024
"""MB in a GiB."""

VOLUME_GB = (16, 512)
"""What a volume has beside what is asked for, as nobody says how much of it SageMaker takes; and the most."""

_FORM = re.compile(
    r"ml\.(c|dl|g|inf|m|p|r|t|trn|x)\d[a-z]{0,2}(-[a-z]+\d+)?"
    r"\.(medium|large|(2|4|6|8|9|10|12|16|18|24|32|36|48)?xlarge)"
)
"""The names that botocore 1.44.5 lists, and others alike."""

_ARM = re.compile(r"ml\.([a-z]+\dg|p\de-gb)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A machine: `cpus` are vCPUs, `memory_mb` is MiB, `gpus` GPUs called `gpu` with `gpu_gb` GB each.

    One that the table lacks has a name and nothing else. `volume` says that its disk is a volume whose size
    can be asked for; others have disks of their own.
    """

    name: str
    cpus: int = 0
    memory_mb: int = 0
    gpus: int = 0
    gpu: str | None = None
    gpu_gb: int = 0
    volume: bool = False

    @property
    def figure(self) -> str:
        """The name of its price in the table of prices."""
        return f"sagemaker_{self.name.replace('.', '_')}"

    def price(self, region: str | None) -> float | None:
        """Return US dollars an hour in `region`, None where the table of prices lacks it."""
        prices = Prices(region)
        return prices[self.figure].usd if self.figure in prices else None


def _machine(name: str, cpus: int, memory_gb: int, gpus: int = 0, gpu: str = "", gpu_gb: int = 0) -> Instance:
    return Instance(
        name=f"ml.{name}",
        cpus=cpus,
        memory_mb=memory_gb * GB,
        gpus=gpus,
        gpu=gpu or None,
        gpu_gb=gpu_gb,
        volume=name.startswith(("m5.", "c5.")),
    )


INSTANCES = {
    each.name: each
    for each in (
        _machine("m5.large", 2, 8),
        _machine("m5.xlarge", 4, 16),
        _machine("m5.2xlarge", 8, 32),
        _machine("m5.4xlarge", 16, 64),
        _machine("c5.large", 2, 4),
        _machine("c5.xlarge", 4, 8),
        _machine("c5.2xlarge", 8, 16),
        _machine("c5.4xlarge", 16, 32),
        _machine("g4dn.xlarge", 4, 16, 1, "T4", 16),
        _machine("g4dn.2xlarge", 8, 32, 1, "T4", 16),
        _machine("g4dn.12xlarge", 48, 192, 4, "T4", 16),
        _machine("g5.xlarge", 4, 16, 1, "A10G", 24),
        _machine("g5.2xlarge", 8, 32, 1, "A10G", 24),
        _machine("g5.4xlarge", 16, 64, 1, "A10G", 24),
        _machine("g5.12xlarge", 48, 192, 4, "A10G", 24),
        _machine("g5.24xlarge", 96, 384, 4, "A10G", 24),
        _machine("g5.48xlarge", 192, 768, 8, "A10G", 24),
        _machine("g6.xlarge", 4, 16, 1, "L4", 24),
        _machine("g6.2xlarge", 8, 32, 1, "L4", 24),
        _machine("g6.4xlarge", 16, 64, 1, "L4", 24),
        _machine("g6.12xlarge", 48, 192, 4, "L4", 24),
        _machine("g6e.2xlarge", 8, 64, 1, "L40S", 48),
        _machine("p4d.24xlarge", 96, 1152, 8, "A100", 40),
        _machine("p5.48xlarge", 192, 2048, 8, "H100", 80),
    )
}


NOT_EVERYWHERE_ASYNC = frozenset({"ml.g4dn.xlarge"})
"""Machines that the list of prices has for real-time endpoints alone in some regions (eu-west-3): nobody gets
one of these for an asynchronous endpoint without having named it."""


@dataclass(frozen=True, slots=True)
class GpuNeed:
    """What `resources.gpu` asks for: `count` GPUs of a `kind` (None: any)."""

    kind: str | None
    count: int

    def met_by(self, instance: Instance) -> bool:
        """Whether the machine has them."""
        return instance.gpus >= self.count and (self.kind is None or self.kind == instance.gpu)


def gpu_need(text: str | None) -> GpuNeed | None:
    """Return what `text` asks for: `A10G`, `L4:2`, or `any` for whatever GPU there is."""
    if text is None:
        return None
    match = re.fullmatch(r"([A-Za-z0-9-]+?)(?::(\d+))?", text.strip())
    if match is None:
        return GpuNeed(text, 1)
    kind, count = match.groups()
    named = None if kind.lower() in {"any", "gpu"} else _known_kind(kind)
    return GpuNeed(named, int(count or 1))


def kinds() -> tuple[str, ...]:
    """Return the GPUs that some machine has."""
    return tuple(dict.fromkeys(each.gpu for each in INSTANCES.values() if each.gpu))


def fits(instance: Instance, project: Project) -> bool:
    """Whether the machine holds what the project asks for."""
    resources = project.resources
    need = gpu_need(resources.gpu)
    roomy = instance.memory_mb >= resources.memory_mb and instance.cpus >= resources.cpu
    return roomy and (instance.gpus == 0 if need is None else need.met_by(instance))


def cheapest(project: Project, options: Options) -> Instance | None:
    """Return the cheapest machine that fits, those without a known price last; None where none does."""
    skipped = NOT_EVERYWHERE_ASYNC if options.mode == "async" else frozenset()
    fitting = [each for each in INSTANCES.values() if each.name not in skipped and fits(each, project)]

    def order(machine: Instance) -> tuple[float, int, str]:
        price = machine.price(options.region)
        return (inf if price is None else price, machine.gpus, machine.name)

    return min(fitting, key=order, default=None)


def instance_of(project: Project, options: Options) -> Instance | None:
    """Return the machine of `project`; None where it is serverless, or nothing fits."""
    if options.mode == "serverless":
        return None
    if options.instance_type is not None:
        return INSTANCES.get(options.instance_type, Instance(name=options.instance_type))
    return cheapest(project, options)


def is_known(machine: Instance) -> bool:
    """Whether the table has its size."""
    return machine.name in INSTANCES


def unusable(name: str) -> str | None:
    """Return why no machine that the table lacks can be called `name`, or none that runs what is built."""
    if not _FORM.fullmatch(name):
        return f"{name} is no machine that preheat knows, and none of SageMaker's is called like that."
    if _ARM.match(name):
        return f"{name} has ARM processors, and endpoints are built for x86_64."
    return None


def volume_gb(project: Project, machine: Instance | None, *, fetched: int) -> int | None:
    """Return how large the volume of `machine` has to be for `tmp_mb` and `fetched` bytes of weights.

    None leaves it as it is: where neither asks for any, and on disks of its own.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html, VolumeSizeInGB
    """
    tmp_mb = project.resources.tmp_mb
    if machine is None or not machine.volume or (tmp_mb <= Resources().tmp_mb and not fetched):
        return None
    return min(VOLUME_GB[1], VOLUME_GB[0] + ceil(tmp_mb / GB + fetched / (GB << 20)))


def _known_kind(kind: str) -> str:
    """Return `kind` as the table writes it; A10 is what others call the A10G."""
    known = {each.lower(): each for each in kinds()} | {"a10": "A10G"}
    return known.get(kind.lower(), kind)
