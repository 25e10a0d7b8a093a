from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.elf import real_library, with_sections
from tests.fakes.wheels import make_wheel

from preheat.bundle.cache import Cache
from preheat.bundle.digest import read_folder, tree_digest
from preheat.bundle.lock import Pin, lock
from preheat.bundle.model import Target
from preheat.bundle.packages import Package, fetch, requirement_name, with_extras
from preheat.bundle.uv import Uv
from preheat.errors import BundleError


@pytest.fixture
def fetched(root: Path, target: Target, uv: Uv, cache: Cache) -> "Fetched":
    return Fetched(root, target, uv, cache)


class Fetched:
    """Locks and fetches requirements."""

    def __init__(self, root: Path, target: Target, uv: Uv, cache: Cache) -> None:
        self.root, self.target, self.uv, self.cache = root, target, uv, cache

    def pins(self, *requirements: str) -> tuple[Pin, ...]:
        return lock(requirements, self.target, root=self.root, uv=self.uv, cache=self.cache, upgrade=False)

    def __call__(self, *requirements: str) -> dict[str, Package]:
        pins = self.pins(*requirements)
        return {package.name: package for package in fetch(pins, self.target, uv=self.uv, cache=self.cache)}


def test_each_distribution_is_stored_with_what_it_requires(fetched: Fetched, wheelhouse: Path) -> None:
    lines = ["beta[fast]>=1; extra == 'x'", "gamma[fast]>=1; python_version > '3'"]
    make_wheel(wheelhouse, "Alpha.One", files={"alpha_one.py": "x = 1\n"}, requires=lines)
    for name in ("beta", "gamma"):
        make_wheel(wheelhouse, name)
    package = fetched("Alpha.One")["alpha-one"]
    assert (package.version, package.requires) == ("1.0", frozenset({"beta", "gamma"}))
    assert (package.optional, package.extended) == (frozenset({"beta"}), frozenset({"gamma"}))
    assert package.modules() == {"alpha_one"}
    assert sorted(package.files) == [
        "Alpha.One-1.0.dist-info/METADATA",
        "Alpha.One-1.0.dist-info/WHEEL",
        "alpha_one.py",
    ]
    stored = read_folder(package.files["alpha_one.py"].source.parent)  # type: ignore[union-attr]
    assert tree_digest({path: stored[path] for path in package.files}) == tree_digest(package.files)


def test_scripts_and_compiled_files_stay_behind(fetched: Fetched, wheelhouse: Path) -> None:
    files: dict[str, str | bytes] = {
        "alpha.py": "",
        "__pycache__/alpha.cpython-311.pyc": b"stale",
        "alpha-1.0.dist-info/entry_points.txt": "[console_scripts]\nalpha = alpha:main\n",
    }
    make_wheel(wheelhouse, "alpha", files=files)
    assert {path for path in fetched("alpha")["alpha"].files if not path.endswith(("METADATA", "WHEEL"))} == {
        "alpha.py",
        "alpha-1.0.dist-info/entry_points.txt",
    }


def test_a_library_is_stored_with_its_symbols_and_without(fetched: Fetched, wheelhouse: Path) -> None:
    library = with_sections(real_library().read_bytes(), {".debug_info": bytes(1 << 20)})
    make_wheel(wheelhouse, "alpha", files={"alpha.py": "", "alpha.so": library})
    package = fetched("alpha")["alpha"]
    assert package.files["alpha.so"].bytes == len(library)
    assert set(package.lean) == {"alpha.so"}
    assert package.lean["alpha.so"].bytes <= len(library) - (1 << 20)
    assert fetched("alpha")["alpha"] == package


def test_what_is_stored_is_not_installed_again(fetched: Fetched, wheelhouse: Path) -> None:
    wheel = make_wheel(wheelhouse, "alpha")
    first = fetched("alpha")
    wheel.unlink()
    assert fetched("alpha") == first


def test_a_file_that_two_wheels_hold_is_the_same_in_every_build(
    fetched: Fetched, wheelhouse: Path, tmp_path: Path
) -> None:
    make_wheel(wheelhouse, "alpha", files={"alpha.py": "", "tests/__init__.py": "# alpha\n"})
    make_wheel(wheelhouse, "beta", files={"beta.py": "", "tests/__init__.py": "# beta\n"})
    for number in range(3):
        fetched.cache = Cache(tmp_path / f"cache-{number}")
        packages = fetched("alpha", "beta")
        content = packages["alpha"].files["tests/__init__.py"].source
        assert isinstance(content, Path)
        assert content.read_text() == "# alpha\n"
        assert "tests/__init__.py" not in packages["beta"].files


def test_a_wheel_whose_content_is_not_what_was_locked_is_refused(
    fetched: Fetched, wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(wheelhouse, "alpha")
    fetched.pins("alpha")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another-cache"))
    make_wheel(wheelhouse, "alpha", files={"alpha.py": "evil = 1\n"})
    with pytest.raises(BundleError, match="alpha==1\\.0 whose hash is not the one in"):
        fetched("alpha")
    assert not (fetched.cache.root / "packages").exists()


class Escaping(Uv):
    """Installs a distribution whose RECORD leads out of its folder, as uv itself would never write."""

    def install(self, lines: list[str], target: Target, into: Path, *, hashes: bool = True) -> None:
        info = into / "alpha-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Name: alpha\nVersion: 1.0\n")
        (info / "RECORD").write_text("../../secret,,\n")


def test_a_record_that_leads_out_of_its_folder_is_refused(fetched: Fetched, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="secret' is not a path inside its folder"):
        fetch([Pin("alpha==1.0", ())], fetched.target, uv=Escaping(tmp_path), cache=fetched.cache)
    assert not (fetched.cache.root / "packages").exists()


def test_an_archive_member_that_leads_out_of_its_folder_is_not_written(
    fetched: Fetched, wheelhouse: Path, tmp_path: Path
) -> None:
    make_wheel(wheelhouse, "alpha", files={"alpha.py": "", "../../../escaped.py": ""})
    assert "alpha.py" in fetched("alpha")["alpha"].files
    assert not list(tmp_path.rglob("escaped.py"))


def test_another_python_has_packages_of_its_own(fetched: Fetched, wheelhouse: Path, target: Target) -> None:
    make_wheel(wheelhouse, "alpha")
    fetched("alpha")
    fetched.target = replace(target, python="3.13")
    fetched("alpha")
    assert len(list((fetched.cache.root / "packages").iterdir())) == 2


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Numpy>=2,<3", "numpy"),
        ("ruamel.yaml[x]==1 ; python_version > '3'", "ruamel-yaml"),
        ("a_b @ https://example.org/a_b-1-py3-none-any.whl", "a-b"),
        ("./wheels/a_b-1.0-py3-none-any.whl", "a-b"),
    ],
)
def test_a_requirement_starts_with_a_name(requirement: str, name: str) -> None:
    assert requirement_name(requirement) == name


def test_a_requirement_with_an_extra_is_known_by_its_bracket() -> None:
    lines = ["uvicorn[standard]>=1", "fast_api [all]; python_version > '3'", "numpy>=2", "a @ file:///x[y]"]
    assert with_extras(lines) == {"uvicorn", "fast-api"}
