"""What a user's class derives from. In: nothing. Out: nothing. Touches nothing."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from preheat.errors import HandlerError

if TYPE_CHECKING:  # pathlib costs 3 ms of a cold start, and nothing here calls it
    from pathlib import Path


class NotDeclared(HandlerError, KeyError):
    """The handler asks for weights or a secret that preheat.toml does not name."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotes


class Weights(dict[str, Any]):
    """Files and folders by the names under `[weights]`; of another name it says which there are."""

    def __missing__(self, name: str) -> Any:
        """Raise NotDeclared."""
        from difflib import get_close_matches  # 2 ms, and only mistakes pay them

        near = get_close_matches(str(name), self, n=1)
        there = f"there is {', '.join(map(repr, sorted(self)))}" if self else "there are none"
        raise NotDeclared(
            f"preheat.toml has no weights {name!r}; {there}.",
            hint=f'ctx.weights["{near[0]}"]' if near else f'[weights.{name}]\nsource = "file:PATH"',
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a handler runs: the files it may read and the place it was deployed to.

    `weights` maps each name under `[weights]` in preheat.toml to a readable file or folder.
    `tmp` is a writable folder of this process, removed with it. `cpus` is the share of
    processors that this process may use, for thread counts: never below 1.
    """

    name: str
    stage: str
    provider: str
    release: str
    weights: "Mapping[str, Path]" = field(default_factory=lambda: MappingProxyType({}))
    tmp: "Path"
    cpus: float = 1.0

    def secret(self, name: str) -> str:
        """Return the secret that preheat.toml declares as `name`. Raises NotDeclared, a KeyError."""
        value = os.environ.get(name)
        if value is None:
            raise NotDeclared(
                f"The secret {name!r} is not set: preheat.toml declares none, or it has no value here.",
                hint=f'[secrets]\n{name} = "env:{name}"',
            )
        return value


class Handler:
    """The base of every handler: `setup`, `restore`, then `predict` for each request, then `teardown`.

    A subclass defines `predict` with one annotated input and an annotated result. It may be
    `async`, may `yield` (a stream), and under `@preheat.batched` takes and returns lists. A second
    parameter annotated `preheat.Call` gets the request's id and headers.
    """

    @classmethod
    def typed(cls, ctx: Context) -> "type[Handler]":
        """Return the class to serve: this one, or one of it whose `predict` is annotated by what weights say.

        Called once, before the class is looked at and an instance is made.
        """
        del ctx
        return cls

    def setup(self, ctx: Context) -> None:
        """Load the model. A snapshot may be taken after it: keep no socket, credential, seed or GPU."""

    def restore(self, ctx: Context) -> None:
        """Open what must not be in a snapshot: clients, credentials, seeds, the GPU."""

    def teardown(self, ctx: Context) -> None:
        """Release what `setup` and `restore` took. Runs once, after the last answer."""

    def examples(self) -> Iterable[Any]:
        """Return inputs, one a request, that warm the model up, smoke-test a build and fill the docs."""
        return ()
