"""Where providers are found: the entry points `preheat.providers`. Reads the installed packages' metadata.

An entry point may name the extra that holds its dependencies
(`modal = "my_package.modal:provider [modal]"`); one that is missing is then an error with the
line that installs it.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol

from preheat.errors import MissingExtra, ProviderError
from preheat.provider.protocol import Provider

GROUP = "preheat.providers"
ALIASES = {"lambda": "aws_lambda"}
"""Other names by which a provider may be called, beside `-` for `_`."""


class Distribution(Protocol):
    """The part of `importlib.metadata.Distribution` that is used here."""

    @property
    def name(self) -> str:
        """What `pip install` calls it."""
        ...


class EntryPoint(Protocol):
    """The part of `importlib.metadata.EntryPoint` that is used here."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    @property
    def extras(self) -> list[str]:
        """The extras of the distribution that the provider needs."""
        ...

    @property
    def dist(self) -> Distribution | None:
        """The package that brings the provider."""
        ...

    def load(self) -> Any:
        """Import the callable that returns the provider."""
        ...


class Registry:
    """The providers that are installed, by name. Nothing of a provider is imported before it is asked for."""

    def __init__(self, find: Callable[[], Iterable[EntryPoint]]) -> None:
        self._find = find
        self._loaded: dict[str, Provider] = {}

    @classmethod
    def installed(cls) -> "Registry":
        """Return the registry of what the running Python has installed."""
        return cls(_installed)

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        return {entry_point.name: entry_point for entry_point in self._find()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all providers, sorted."""
        return tuple(sorted(self._entry_points))

    def get(self, name: str) -> Provider:
        """Return the provider called `name`. Raises ProviderError for an unknown name or a missing extra."""
        key = name.replace("-", "_")
        key = ALIASES.get(key, key)
        if key not in self._entry_points:
            raise _unknown(name, self.names)
        if key not in self._loaded:
            self._loaded[key] = _load(self._entry_points[key])
        return self._loaded[key]

    def schemas(self, own: Provider) -> Mapping[str, Mapping[str, Any]]:
        """Return the options schema of `own` and of every other provider by name, read when it is asked for.

        One that cannot be loaded here accepts any table: this run does not use that table either.
        """
        return _Schemas(self, own)


class _Schemas(Mapping[str, Mapping[str, Any]]):
    def __init__(self, registry: Registry, own: Provider) -> None:
        self._registry = registry
        self._own = own

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name == self._own.name:
            return self._own.options_schema()
        if name not in self._registry.names:
            raise KeyError(name)
        try:
            return self._registry.get(name).options_schema()
        except MissingExtra:
            return {}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._registry.names, self._own.name}))

    def __len__(self) -> int:
        return len({*self._registry.names, self._own.name})


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # 25 ms that `preheat --help` does not need

    return entry_points(group=GROUP)


def _load(entry_point: EntryPoint) -> Provider:
    try:
        provider: Provider = entry_point.load()()
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            f"Provider {entry_point.name!r} needs the module {missing.name!r}, which is not installed.",
            hint=_install_line(entry_point, missing.name),
        ) from missing
    return provider


def _install_line(entry_point: EntryPoint, module: str | None) -> str:
    if entry_point.dist and entry_point.extras:
        return f"pip install '{entry_point.dist.name}[{','.join(entry_point.extras)}]'"
    return f"pip install {module}"


def _unknown(name: str, names: tuple[str, ...]) -> ProviderError:
    aliases = [alias for alias, target in ALIASES.items() if target in names]
    near = difflib.get_close_matches(name, [*names, *aliases], n=1)
    known = ", ".join(names) or "none"
    return ProviderError(
        f"There is no provider {name!r}. Installed: {known}.",
        hint=f"--provider {near[0]}" if near else None,
    )
