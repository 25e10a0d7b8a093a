"""What who reads a plan is told beside what changes and what it costs. Reads names in the bundle."""

from preheat.bundle.model import Bundle
from preheat.project.model import Project
from preheat_providers.sagemaker.costs import DOWN_S
from preheat_providers.sagemaker.gpu_host import unknown_driver
from preheat_providers.sagemaker.limits import unknown_price
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.target import concurrent_of


def remarks_of(project: Project, options: Options, bundle: Bundle) -> tuple[str, ...]:
    """Return what is not known of the machine, and what nobody promises of long requests."""
    notes = (
        unknown_price(project, options),
        unknown_driver(project, options, bundle),
        long_requests(project, options, bundle),
    )
    return tuple(note for note in notes if note is not None)


def long_requests(project: Project, options: Options, bundle: Bundle) -> str | None:
    """Return a note where an instance may be taken away while it works on a request."""
    at_once = concurrent_of(project, options, bundle.contract) or 1
    several = max(project.scaling.min, project.scaling.warm, project.scaling.max) > 1
    late = project.resources.timeout_s > DOWN_S
    if options.mode != "async" or not late or not several or options.backlog <= at_once:
        return None
    return (
        f"A request may take {project.resources.timeout_s:g} s, and an instance is taken away when there "
        f"were few for {DOWN_S} s; that it finishes its request first, no page of AWS says. To keep one for "
        f"each request that runs: backlog = {at_once} in [provider.sagemaker]."
    )
