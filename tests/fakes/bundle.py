"""A bundle stage without packages: the digest follows the files of the project, and nothing is written."""

import hashlib
from collections.abc import Mapping
from typing import Any

from preheat.bundle.model import Bundle, Layer, Size, Target
from preheat.errors import PreheatError
from preheat.progress import Amount, Notice, Report
from preheat.project.model import Project

CONTRACT: Mapping[str, Any] = {"input_media": ["application/json"], "examples": [{"text": "it's hot"}]}


class FakeBuild:
    """Implements preheat.deploy.Build. `fail` is raised instead, `notice` reported."""

    def __init__(
        self,
        *,
        contract: Mapping[str, Any] | None = CONTRACT,
        fail: BaseException | None = None,
        notice: Notice | None = None,
    ) -> None:
        self.targets: list[Target] = []
        self.upgraded = False
        self._contract = contract
        self._fail = fail
        self._notice = notice
        self._seen: set[str] = set()

    def __call__(self, project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
        self.targets.append(target)
        self.upgraded = upgrade
        report(Amount("bundle", "numpy", 5, 10, "bytes"))
        if self._notice:
            report(self._notice)
        if self._fail:
            raise self._fail
        files = sorted(path for path in project.root.rglob("*") if path.is_file())
        content = b"".join(path.read_bytes() for path in files)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        cached = digest in self._seen
        self._seen.add(digest)
        return Bundle(
            digest=digest,
            target=target,
            layers=(Layer(name="code", digest=digest, bytes=len(content), path=project.root),),
            sizes=(
                Size(layer="dependencies", name="numpy", bytes=20_000_000),
                Size(layer="code", name=project.name, bytes=len(content)),
            ),
            path=project.root,
            cached=cached,
            contract=self._contract,
        )


def failing(message: str, hint: str) -> FakeBuild:
    """Return a build that fails with `message`."""
    return FakeBuild(fail=PreheatError(message, hint=hint))
