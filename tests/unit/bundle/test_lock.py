from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.wheels import make_wheel

from preheat.bundle.cache import Cache
from preheat.bundle.lock import LOCK, Pin, lock, parse_pins, read_lock
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.errors import BundleError


class Locking:
    """Locks one project, again and again."""

    def __init__(self, root: Path, target: Target, uv: Uv, cache: Cache) -> None:
        self.path = root / LOCK
        self._root, self._target, self._uv, self._cache = root, target, uv, cache

    def __call__(self, *requirements: str, target: Target | None = None, upgrade: bool = False) -> list[str]:
        pins = lock(
            requirements,
            target or self._target,
            root=self._root,
            uv=self._uv,
            cache=self._cache,
            upgrade=upgrade,
        )
        return [pin.requirement for pin in pins]


@pytest.fixture
def locking(root: Path, target: Target, uv: Uv, cache: Cache) -> Locking:
    return Locking(root, target, uv, cache)


def test_the_lock_holds_exact_versions_with_hashes_and_no_address(locking: Locking, wheelhouse: Path) -> None:
    make_wheel(wheelhouse, "alpha", requires=["beta>=1"])
    make_wheel(wheelhouse, "beta", "1.5")
    assert locking("alpha") == ["alpha==1.0", "beta==1.5"]
    (section,) = read_lock(locking.path)
    assert all(len(pin.hashes) == 1 for pin in section.pins)
    assert "wheelhouse" not in locking.path.read_text()
    assert "://" not in locking.path.read_text()


def test_the_same_requirements_are_not_resolved_again(locking: Locking, wheelhouse: Path) -> None:
    make_wheel(wheelhouse, "alpha")
    locking("alpha")
    written = locking.path.read_bytes()
    make_wheel(wheelhouse, "alpha", "2.0")
    assert locking(" alpha ", "alpha") == ["alpha==1.0"]
    assert locking.path.read_bytes() == written


def test_another_requirement_keeps_the_old_pins(locking: Locking, wheelhouse: Path) -> None:
    make_wheel(wheelhouse, "alpha")
    locking("alpha")
    make_wheel(wheelhouse, "alpha", "2.0")
    make_wheel(wheelhouse, "beta")
    assert locking("alpha", "beta") == ["alpha==1.0", "beta==1.0"]


def test_upgrade_takes_the_newest(locking: Locking, wheelhouse: Path) -> None:
    make_wheel(wheelhouse, "alpha")
    locking("alpha")
    make_wheel(wheelhouse, "alpha", "2.0")
    assert locking("alpha", upgrade=True) == ["alpha==2.0"]


def test_each_platform_and_python_has_its_own_section(
    locking: Locking, wheelhouse: Path, target: Target
) -> None:
    make_wheel(wheelhouse, "alpha")
    locking("alpha")
    locking("alpha", target=replace(target, python="3.13"))
    assert [section.python for section in read_lock(locking.path)] == [target.python, "3.13"]
    locking("alpha", upgrade=True)
    assert len(read_lock(locking.path)) == 2


def test_no_requirements_need_no_lock(locking: Locking) -> None:
    assert locking() == []
    assert not locking.path.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("alpha==1.0", "alpha==1.1"), "was edited by hand"),
        (("sha256:", "sha1:"), "no exact requirement with SHA-256"),
        (("alpha==1.0", "alpha>=1.0"), "no exact requirement"),
        (("version = 1", "version = 2"), "its version is 2"),
        (("packages = [", "packages = ["), None),
        (("checksum", "chksum"), "lacks or misspells 'checksum'"),
        (("packages = [", "<<<<<<< HEAD\npackages = ["), "Invalid statement|Expected"),
    ],
)
def test_a_lock_that_preheat_did_not_write_is_refused(
    locking: Locking, wheelhouse: Path, change: tuple[str, str], reason: str | None
) -> None:
    make_wheel(wheelhouse, "alpha")
    locking("alpha")
    locking.path.write_text(locking.path.read_text().replace(*change))
    if reason is None:
        assert locking("alpha") == ["alpha==1.0"]
        return
    with pytest.raises(BundleError, match=reason) as caught:
        locking("alpha")
    assert str(locking.path) in caught.value.message
    assert f"git checkout {LOCK}" in str(caught.value.hint)


def test_a_lock_that_is_no_text_is_refused(locking: Locking) -> None:
    locking.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match=r"preheat\.lock cannot be used"):
        locking("alpha")


def test_a_wheel_by_its_address_or_path_stays_as_it_is() -> None:
    text = "alpha @ https://example.org/alpha-1.0.whl \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
    text += "./b-1.whl\n"
    assert parse_pins(text) == (
        Pin("alpha @ https://example.org/alpha-1.0.whl", ("sha256:00", "sha256:11")),
        Pin("./b-1.whl", ()),
    )


def test_a_package_without_a_wheel_for_the_target_names_it_and_says_what_to_do(
    locking: Locking, wheelhouse: Path, target: Target
) -> None:
    make_wheel(wheelhouse, "alpha", tag="cp38-cp38-macosx_11_0_arm64")
    with pytest.raises(BundleError) as caught:
        locking("alpha")
    assert "alpha" in caught.value.message
    assert target.platform in caught.value.message
    assert target.python in caught.value.message
    assert "Only published wheels" in str(caught.value.hint)
    assert not locking.path.exists()
