"""From the triggers of preheat.toml to places: where each watches and writes. Refuses circles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import ProviderError
from preheat.project.model import ObjectCreated
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.buckets import Place, locate
from preheat_providers.local.triggers.intake import Sink
from preheat_providers.local.triggers.keys import feeds, split_output


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One object-created trigger with the places that it reads and writes."""

    trigger: ObjectCreated
    source: Place
    sink: Sink

    def feeds(self, other: "Route") -> bool:
        """Say whether a result of this trigger can set off `other`."""
        written = self.sink.place.at(self.sink.prefix)
        return feeds(written, self.trigger.prefix, other.source.at(other.trigger.prefix))


def routes(triggers: Sequence[ObjectCreated], options: Options, home: Path) -> tuple[Route, ...]:
    """Return where each trigger watches and writes. Raises ProviderError for a bad place and for a circle."""
    found = []
    for trigger in triggers:
        bucket, prefix = split_output(trigger.output)
        sink = Sink(place=locate(bucket, options, home), prefix=prefix)
        found.append(Route(trigger=trigger, source=locate(trigger.bucket, options, home), sink=sink))
    for route in found:
        _refuse_circle(route, found)
    return tuple(found)


def _refuse_circle(start: Route, every: Sequence[Route]) -> None:
    reached: list[Route] = []
    frontier = [start]
    while frontier:
        fed = [other for other in every if frontier[0].feeds(other)]
        if start in fed:
            raise ProviderError(
                f"The results of trigger {start.trigger.name!r}, under {start.trigger.output}, would set it"
                f" off again: it watches {start.trigger.bucket}/{start.trigger.prefix}.",
                hint=f'Write them to another bucket or prefix: output = "{start.trigger.bucket}-results/"',
            )
        frontier = [*frontier[1:], *(other for other in fed if other not in reached)]
        reached += fed
