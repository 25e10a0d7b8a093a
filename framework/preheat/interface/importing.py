"""From `module:Class` to that class. Imports little itself: it runs before what a start needs besides."""

import importlib
import sys
from pathlib import Path
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.handler import Handler

NAMED_ALIKE = frozenset(
    {
        *("httpx", "numpy", "onnx", "onnxruntime", "orjson", "pandas", "polars", "pyarrow", "pydantic"),
        *("requests", "safetensors", "scipy", "tensorflow", "tokenizers", "torch", "torchaudio"),
        *("torchvision", "transformers"),
    }
)
"""Modules in a package of the same name."""
PACKAGES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "llama_cpp": "llama-cpp-python",
    "sentence_transformers": "sentence-transformers",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""The package of a module that has another name."""


def import_handler(reference: str) -> type[Handler]:
    """Import `module:Class` from the module path. Raises HandlerError."""
    module_name, colon, class_name = reference.partition(":")
    if not colon or not all(
        part.isidentifier() for part in (*module_name.split("."), *class_name.split("."))
    ):
        raise HandlerError(
            f"{reference!r} names no handler.", hint='handler = "handler:Model"  # module:Class'
        )
    module = _import(module_name, reference)
    found: Any = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise HandlerError(
            f"{module_name} has no class {class_name!r}.", hint=_suggestion(module, class_name)
        )
    if not (isinstance(found, type) and issubclass(found, Handler)):
        raise HandlerError(
            f"{reference!r} does not derive from preheat.Handler.",
            hint=f"class {class_name}(preheat.Handler):",
        )
    return found


def _import(name: str, reference: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise HandlerError(
                f"There is no module {exc.name!r}, which the handler {reference!r} names.",
                hint=f"Write {exc.name.replace('.', '/')}.py beside preheat.toml, or correct handler in it.",
            ) from exc
        raise HandlerError(
            f"Importing {name!r} failed{_where(exc)}: there is no module {exc.name!r}.",
            hint=_provision(exc.name or ""),
        ) from exc
    except SyntaxError as exc:
        place = f"{Path(exc.filename or name).name}, line {exc.lineno}"
        raise HandlerError(f"Importing {name!r} failed in {place}: {exc.msg}.") from exc
    except (Exception, SystemExit) as exc:
        raise HandlerError(f"Importing {name!r} failed{_where(exc)}: {type(exc).__name__}: {exc}") from exc


def _provision(name: str) -> str | None:
    """Return what brings the module `name`: a package only where it is known, as any name may be taken."""
    top, dot, _ = name.partition(".")
    if dot and top in sys.modules:
        return None
    package = top if top in NAMED_ALIKE else PACKAGES.get(top)
    if package is not None:
        return f'Add "{package}" to requirements in preheat.toml.'
    return (
        f"If it is yours, write {top}.py beside preheat.toml; "
        "if not, add the package that has it to requirements in preheat.toml."
    )


def _where(exc: BaseException) -> str:
    import traceback  # with difflib below 5 ms of a cold start, which only mistakes pay

    own = str(Path(importlib.__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(exc.__traceback__)
        if not frame.filename.startswith(("<frozen", own)) and frame.filename != __file__
    ]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _suggestion(module: Any, wanted: str) -> str:
    from difflib import get_close_matches

    handlers = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Handler) and value.__module__ == module.__name__
    ]
    near = get_close_matches(wanted, handlers, n=1) or handlers
    if near:
        return f'handler = "{module.__name__}:{near[0]}"'
    return f"class {wanted}(preheat.Handler):"
