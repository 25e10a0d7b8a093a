from pathlib import Path

import pytest

from preheat.bundle.digest import File, content_file, read_file
from preheat.bundle.packages import Package
from preheat.bundle.trim import RULES, SYMBOLS, UNUSED, Trimmed, trim, untrimmed


class Site:
    """Packages made of small files on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.packages: list[Package] = []

    def add(
        self,
        name: str,
        *paths: str,
        requires: tuple[str, ...] = (),
        optional: tuple[str, ...] = (),
        extended: tuple[str, ...] = (),
        **contents: bytes,
    ) -> "Site":
        files: dict[str, File] = {}
        for path in paths:
            place = self._folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(contents.get(path.rpartition("/")[2].partition(".")[0], b"1234"))
            files[path] = read_file(place)
        asked = frozenset((*requires, *optional))
        self.packages.append(
            Package(name, "1.0", asked, files, optional=frozenset(optional), extended=frozenset(extended))
        )
        return self

    def trim(self, *requirements: str, user_code: str = "") -> Trimmed:
        return trim(self.packages, requirements, user_code)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


HUB = ("huggingface_hub/__init__.py",)


def hub(site: Site) -> Site:
    """tokenizers, which needs the hub for one function only, and what the hub needs."""
    site.add("tokenizers", "tokenizers/__init__.py", requires=("huggingface-hub",))
    site.add("huggingface-hub", *HUB, requires=("tqdm", "packaging"))
    return site.add("tqdm", "tqdm/__init__.py").add("packaging", "packaging/__init__.py")


def test_tests_of_known_packages_go_and_of_others_stay(site: Site) -> None:
    site.add("numpy", "numpy/__init__.py", "numpy/core/tests/test_a.py", "numpy/testing/__init__.py")
    site.add("other", "other/tests/data.py")
    kept = site.trim("numpy", "other").kept
    assert set(kept["numpy"]) == {"numpy/__init__.py", "numpy/testing/__init__.py"}
    assert set(kept["other"]) == {"other/tests/data.py"}


def test_what_went_is_reported_with_its_size_largest_first(site: Site) -> None:
    site.add("numpy", "numpy/x.pyi", "numpy/tests/a.py", "numpy/tests/b.py")
    assert site.trim("numpy").removed == (("tests of numpy", 8), ("type stubs", 4))


def test_stubs_stay_where_they_are_read_at_run_time(site: Site) -> None:
    site.add("scikit-image", "skimage/__init__.pyi", requires=("lazy-loader",))
    assert set(site.trim("scikit-image").kept["scikit-image"]) == {"skimage/__init__.pyi"}


def test_a_part_that_the_users_code_imports_stays(site: Site) -> None:
    site.add("onnxruntime", "onnxruntime/quantization/__init__.py", "onnxruntime/tools/__init__.py")
    for line in ("from onnxruntime.quantization import x", "from onnxruntime import quantization"):
        kept = site.trim("onnxruntime", user_code=line).kept["onnxruntime"]
        assert set(kept) == {"onnxruntime/quantization/__init__.py"}


def test_a_part_that_another_package_imports_stays(site: Site) -> None:
    site.add("onnxruntime", "onnxruntime/transformers/__init__.py")
    site.add("optimum", "optimum/x.py", requires=("onnxruntime",), x=b"import onnxruntime.transformers")
    assert site.trim("optimum").kept["onnxruntime"]


LIBRARY = "onnxruntime/capi/libonnxruntime.so.1.31.1"
BINDING = "onnxruntime/capi/state.cpython-312-x86_64-linux-gnu.so"


def test_the_c_library_goes_when_nothing_loads_it(site: Site) -> None:
    site.add("onnxruntime", LIBRARY, BINDING, state=b"libonnxruntime_providers.so")
    assert set(site.trim("onnxruntime").kept["onnxruntime"]) == {BINDING}


def test_the_c_library_stays_when_the_binding_links_it(site: Site) -> None:
    site.add("onnxruntime", LIBRARY, BINDING, state=b"\0libonnxruntime.so.1\0")
    assert set(site.trim("onnxruntime").kept["onnxruntime"]) == {LIBRARY, BINDING}


def test_the_c_library_stays_when_another_package_loads_it(site: Site) -> None:
    site.add("onnxruntime", LIBRARY, BINDING)
    site.add("genai", "genai/load.py", requires=("onnxruntime",), load=b"dlopen('libonnxruntime.so')")
    assert LIBRARY in site.trim("genai").kept["onnxruntime"]


def test_a_requirement_that_is_never_imported_goes_with_all_that_only_it_needs(site: Site) -> None:
    assert set(hub(site).trim("tokenizers").kept) == {"tokenizers"}


def test_what_something_else_needs_stays(site: Site) -> None:
    hub(site).add("other", "other.py", requires=("tqdm",))
    assert set(site.trim("tokenizers", "other").kept) == {"tokenizers", "other", "tqdm"}


@pytest.mark.parametrize(
    ("requirements", "user_code"),
    [
        (("tokenizers", "huggingface-hub"), ""),
        (("tokenizers", "huggingface_hub>=1"), ""),
        (("tokenizers",), "import huggingface_hub"),
        (("tokenizers",), "tokenizers.Tokenizer.from_pretrained('x')"),
        (("tokenizers",), "importlib.import_module('huggingface_hub')"),
    ],
)
def test_what_the_user_asks_for_stays(site: Site, requirements: tuple[str, ...], user_code: str) -> None:
    assert "huggingface-hub" in hub(site).trim(*requirements, user_code=user_code).kept


def test_what_is_declared_for_an_extra_goes_unless_somebody_asks_for_one(site: Site) -> None:
    hub(site).add("uvicorn", "uvicorn/__init__.py", optional=("tqdm",))
    assert set(site.trim("tokenizers", "uvicorn").kept) == {"tokenizers", "uvicorn"}
    assert "tqdm" in site.trim("tokenizers", "uvicorn[standard]>=1").kept
    assert "tqdm" in site.add("web", "web.py", optional=("uvicorn",)).trim("tokenizers", "web[all]").kept
    site.add("server", "server.py", requires=("uvicorn",), extended=("uvicorn",))
    assert "tqdm" in site.trim("tokenizers", "server").kept


def test_a_requirement_stays_where_the_package_turns_out_to_import_it(site: Site) -> None:
    site.add("onnxruntime", "onnxruntime/x.py", requires=("protobuf",), x=b"from google.protobuf import y")
    site.add("protobuf", "google/protobuf/__init__.py")
    assert "protobuf" in site.trim("onnxruntime").kept


def test_a_requirement_by_a_path_keeps_its_package(site: Site) -> None:
    hub(site).add("mine", "mine.py", requires=("tqdm",))
    assert {"mine", "tqdm"} <= set(site.trim("tokenizers", "./wheels/mine-1.0-py3-none-any.whl").kept)


def test_a_library_ships_without_its_symbols_unless_everything_ships() -> None:
    whole, lean = content_file(b"library and symbols"), content_file(b"library")
    package = Package("uvloop", "1", frozenset(), {"loop.so": whole}, {"loop.so": lean})
    assert trim([package], ["uvloop"], "") == Trimmed({"uvloop": {"loop.so": lean}}, ((SYMBOLS, 12),))
    assert untrimmed([package]).kept == {"uvloop": {"loop.so": whole}}


def test_untrimmed_keeps_everything(site: Site) -> None:
    site.add("numpy", "numpy/tests/a.py")
    assert untrimmed(site.packages) == Trimmed({"numpy": site.packages[0].files}, ())


def test_every_rule_says_why() -> None:
    assert all(rule.reason and rule.mb > 0 for rule in RULES)
    assert all(rule.reason and rule.unless for rule in UNUSED)


def test_content_in_memory_is_never_taken_for_a_module() -> None:
    package = Package("tokenizers", "1", frozenset({"huggingface-hub"}), {"a.py": content_file(b"")})
    assert trim([package], ["tokenizers"], "").kept == {"tokenizers": package.files}
