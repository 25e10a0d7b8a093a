"""The errors of AWS that a deploy meets, as data: what each means, and what to do.

tests/fakes/aws_errors.json holds a message of each as AWS words it, with where it was seen.
"""

from preheat_providers._aws.known.access import ACCESS
from preheat_providers._aws.known.functions import FUNCTIONS
from preheat_providers._aws.known.model import Fix, Known
from preheat_providers._aws.known.network import NETWORK
from preheat_providers._aws.known.resources import RESOURCES
from preheat_providers._aws.known.stacks import STACKS
from preheat_providers._aws.known.storage import STORAGE

KNOWN: tuple[Known, ...] = (*ACCESS, *STORAGE, *FUNCTIONS, *STACKS, *RESOURCES, *NETWORK)
"""In the order in which they are tried: the first pattern found in a message wins, then the first code."""

__all__ = ["KNOWN", "Fix", "Known"]
