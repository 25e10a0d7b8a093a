"""Whether a stack is of the function that looks for it: `a-b` at `c` and `a` at `b-c` have one name. Pure."""

from preheat.errors import Conflict
from preheat_providers._aws.stacks import Stack
from preheat_providers._aws.stacks.model import REVIEWED
from preheat_providers._aws.templates.names import NAME_TAG, STAGE_TAG


def owned(stack: Stack | None, name: str, stage: str, *, region: str) -> Stack | None:
    """Return `stack` if it is of `name` at `stage`, or of nobody yet. Raises Conflict if of somebody else."""
    if stack is None or stack.status == REVIEWED:
        return stack
    owner = (stack.tags.get(NAME_TAG), stack.tags.get(STAGE_TAG))
    if owner == (name, stage):
        return stack
    whose = f"{owner[0]} at stage {owner[1]}" if all(owner) else "nothing that preheat deployed"
    raise Conflict(
        f"The stack {stack.name} in {region} belongs to {whose}, and {name} at "
        f"stage {stage} would have the same name.",
        hint='name = "another-name"  # in preheat.toml',
    )
