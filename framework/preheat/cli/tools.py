"""What every command is given: the screen, the providers, and the pipeline over them."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from preheat.cli.render import Screen
from preheat.project.model import EMPTY
from preheat.provider.registry import Registry

if TYPE_CHECKING:
    from preheat.deploy import Build, Pipeline
    from preheat.progress import Report


Execute = Callable[[str, list[str], Mapping[str, str]], NoReturn]
"""Becomes another program: its path, its arguments from the zeroth on, its environment."""


@dataclass(kw_only=True)
class Tools:
    """The collaborators of one command. `build` replaces the pipeline's own bundle stage."""

    screen: Screen
    registry: Registry = field(default_factory=Registry.installed)
    build: "Build | None" = None
    execute: Execute = os.execve
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timer: Callable[[float, Callable[[], None]], threading.Timer] = threading.Timer

    def pipeline(
        self,
        provider: str,
        stage: str,
        report: "Report",
        *,
        upgrade: bool = False,
        options: Mapping[str, Any] = EMPTY,
    ) -> "Pipeline":
        """Return the pipeline to `provider`."""
        from preheat.deploy import Pipeline  # 200 ms of imports that most commands do not need

        pipeline = Pipeline(
            provider=self.registry.get(provider),
            stage=stage,
            report=report,
            upgrade=upgrade,
            options=options,
            registry=self.registry,
        )
        return pipeline if self.build is None else replace(pipeline, build=self.build)


pass_tools = click.make_pass_decorator(Tools)
