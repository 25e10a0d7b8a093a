"""One deploy, step by step. Every step finds what an earlier run, killed in the middle, has left.

volume     made, and sent the weights that it lacks        in folders named by their content
record     what this release is made of                    nobody reads it before the app names it
secret     the values that preheat.toml refers to          in one of its own: what runs keeps its
app        built, uploaded and published by Modal's client Modal keeps what ran before, if that fails
uploads    the stack of AWS that tells the app of them     by a key that only the two have
prune      what no kept release needs of these             never that of what runs
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from preheat.errors import Conflict
from preheat.plan.model import Plan
from preheat.progress import Report, Step
from preheat.provider.protocol import Deployment
from preheat.provider.tokens import PendingToken, sha256_of
from preheat_providers.modal.app.making import lay_out, pins_of
from preheat_providers.modal.app.spec import AppSpec, Volume
from preheat_providers.modal.deploying.pruning import prune
from preheat_providers.modal.deploying.publishing import STAGE, publish, without
from preheat_providers.modal.limits import notes
from preheat_providers.modal.names import own_secret
from preheat_providers.modal.outfit import Outfit
from preheat_providers.modal.place import Live, Place, deployment_of
from preheat_providers.modal.release import Record
from preheat_providers.modal.secrets import own_values, put_secret
from preheat_providers.modal.uploads.telling import Telling


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """What is deployed where."""

    place: Place
    outfit: Outfit
    token: PendingToken
    telling: Telling | None
    environ: Mapping[str, str]
    report: Report

    def run(self, plan: Plan) -> Deployment:
        """Make it so. Raises ProviderError, and what ran goes on running."""
        before = self.place.live()
        record = self._record(plan, before)
        spec = self.outfit.spec(
            release=str(record.number),
            token_sha256=record.token_sha256,
            uploads_sha256=record.uploads_sha256,
        )
        self.place.data.make()
        self._send_weights(spec)
        # Before the Secret: that one which no record needs is for another deploy's `prune` to remove.
        self.place.data.write(record.path, record.to_json())
        self._put_secret()
        self._publish(spec, record)
        live = self._published(record)
        if self.telling is not None and record.uploads_sha256 is not None:
            self.telling.start(self.outfit, self.place, record.uploads_sha256, self.report)
        prune(self.place, live, self.report)
        token = self.token.show(record.token_sha256) if record.token_sha256 else None
        return deployment_of(self.place, live, changed=True, token=token, notes=notes(self.outfit.project))

    @cached_property
    def _secrets(self) -> Mapping[str, str]:
        return own_values(self.outfit.project, self.environ)

    def _record(self, plan: Plan, before: Live | None) -> Record:
        spec = self.outfit.spec()
        return Record(
            name=self.place.name,
            stage=self.place.stage,
            number=(before.app.last_number if before else 0) + 1,
            digest=plan.digest,
            resources=self.outfit.resources(),
            token_sha256=self._token_sha256(before) if spec.door == "token" else None,
            weights=spec.weights.folder if isinstance(spec.weights, Volume) else None,
            uploads_sha256=self.telling.sha256(before.record if before else None) if self.telling else None,
            stack=self.telling.stack.address if self.telling else None,
        )

    def _token_sha256(self, before: Live | None) -> str:
        """Return the hash of the token that callers have, or of a new one."""
        known = before.record.token_sha256 if before and before.record else None
        return known or sha256_of(self.token.prepare())

    def _send_weights(self, spec: AppSpec) -> None:
        if isinstance(spec.weights, Volume):
            source = self.outfit.bundle.layer("weights").path
            self.place.data.send(source, spec.weights.folder, self.report)

    def _put_secret(self) -> None:
        if self._secrets:
            name = own_secret(self.place.app, self.outfit.secrets_mark)
            self.report(Step(STAGE, f"writing the Secret {name}"))
            put_secret(self.place.client, name, self.place.environment, self._secrets)

    def _publish(self, spec: AppSpec, record: Record) -> None:
        pins = pins_of(self.outfit.project, self.outfit.bundle) if spec.packages == "image" else ()
        with tempfile.TemporaryDirectory(prefix="preheat-modal-") as folder:
            file = lay_out(Path(folder), spec, self.outfit.bundle, pins)
            self.report(Step(STAGE, f"deploying {spec.app}"))
            self._check_alone(record)
            publish(
                file,
                spec.app,
                self.place.environment,
                record.tag,
                strategy=self.outfit.options.strategy,
                environ=without(self.environ, self.outfit.project.secrets.values()),
                report=self.report,
            )

    def _check_alone(self, record: Record) -> None:
        """Raise Conflict if somebody else deployed while weights were sent: two releases had one number."""
        live = self.place.live()
        if live is not None and live.app.last_number >= record.number:
            raise Conflict(
                f"Somebody else deployed {self.place.app} as release {live.app.last_number} in the meantime; "
                "nothing of this deploy runs.",
                hint="Deploy again.",
            )

    def _published(self, record: Record) -> Live:
        """Return what runs now. Raises Conflict where that is what somebody else deployed meanwhile."""
        live = self.place.require()
        if live.app.tag != record.tag:
            raise Conflict(
                f"Somebody else deployed {self.place.app} at the same time, and their release {live.number} "
                "is what runs.",
                hint="preheat releases NAME --provider modal  # and then deploy again, one after the other",
            )
        return live
