"""What `import preheat.client` costs: httpx and the standard library, nothing of the rest of preheat."""

import json
import subprocess
import sys

SCRIPT = """
import json, sys
import httpx
with_httpx = set(sys.modules)
import preheat.client
print(json.dumps(sorted(set(sys.modules) - with_httpx)))
"""


def loaded() -> list[str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def test_the_client_imports_nothing_but_httpx_and_the_standard_library() -> None:
    foreign = {name.partition(".")[0] for name in loaded()} - sys.stdlib_module_names
    assert foreign == {"preheat"}


def test_the_client_imports_only_the_interface_of_preheat() -> None:
    parts = {name.split(".")[1] for name in loaded() if name.startswith("preheat.")}
    assert parts == {"client", "errors", "interface"}


def test_neither_numpy_nor_pillow_nor_the_mime_tables_are_loaded_before_they_are_used() -> None:
    assert not {"numpy", "PIL", "mimetypes"} & set(loaded())


def test_without_httpx_the_install_line_is_said() -> None:
    script = "import sys; sys.modules['httpx'] = None; import preheat.client"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'preheat[client]'" in done.stderr
