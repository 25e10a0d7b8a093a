import sys

import pytest

from preheat.bundle.image.packages import NEEDED, require_packages
from preheat.errors import MissingExtra


def test_what_is_installed_is_no_error() -> None:
    require_packages("image")


@pytest.mark.parametrize("package", NEEDED)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=package) as caught:
        require_packages("aws")
    assert caught.value.hint == "pip install 'preheat[aws]'"
