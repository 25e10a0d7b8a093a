"""A provider for endpoints whose account and registry are on this machine; its instances are processes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fakes.containers import PYTHON, base_archive, check_tools, push_base, registry
from tests.fakes.sagemaker.account import Account, sagemaker_account
from tests.fakes.surroundings import Surroundings

from preheat.provider.protocol import Provider
from preheat_providers.sagemaker.provider import SagemakerProvider

SETTINGS = f'python = "{PYTHON}"\n'


@contextmanager
def base_image() -> Iterator[str]:
    """Debian's Python in a registry: the name to build on."""
    check_tools()
    with TemporaryDirectory(prefix="base-") as folder, registry(Path(folder)) as host:
        yield push_base(host, base_archive(), "base", folder=Path(folder))


def provider_of(account: Account) -> Provider:
    """Return the provider; its image registry is reached by the door that asks for ECR's login."""
    return SagemakerProvider(
        reach=lambda host: account.door.host, sleep=lambda seconds: time.sleep(min(seconds, 0.05))
    )


@contextmanager
def workplace() -> Iterator[Surroundings]:
    """An account whose endpoints answer."""
    with base_image() as base, sagemaker_account() as account:
        account.launch = account.as_process
        yield Surroundings(provider=provider_of(account), settings=SETTINGS, options={"base_image": base})
