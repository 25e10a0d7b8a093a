"""What starts a function besides a request: objects that appear in a bucket, and the clock."""

from preheat_providers.local.triggers.dead_letters import dead_letter_folder, sweep_dead_letters
from preheat_providers.local.triggers.host import TriggerHost

__all__ = ["TriggerHost", "dead_letter_folder", "sweep_dead_letters"]
