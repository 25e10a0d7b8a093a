"""What the text of a handler says about its mistakes, without running it. Reads the project's files.

Only what is certain becomes a finding: a base class from another module, or a name that is
assigned rather than defined, is left to the check that really loads the class.
"""

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

from preheat.findings import Finding
from preheat.project.model import Project

METHODS = ("setup", "restore", "predict", "teardown", "examples")
PREDICT = "    def predict(self, item: Input) -> Output: ..."

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def look_at_handler(project: Project) -> tuple[Finding, ...]:
    """Return what is plainly wrong in the class that `project` names as its handler."""
    module, _, name = project.handler.partition(":")
    file = _module_file(project.root, module)
    if file is None:
        return ()  # of another package; a module that nothing can bring was refused with preheat.toml
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        return (Finding(message=f"This is not Python: {error.msg}.", file=file, line=error.lineno),)
    except ValueError:
        return (Finding(message="This is not Python: it contains a null byte.", file=file, line=1),)
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    if "." in name:
        return ()  # a class within another
    if name in classes:
        return tuple(_look_at_class(classes[name], classes, _handler_names(tree), file))
    return () if {name, "*"} & _bound_names(tree) else (_no_class(project, name, classes, file),)


def _module_file(root: Path, module: str) -> Path | None:
    stem = root.joinpath(*module.split("."))
    candidates = (stem.with_name(stem.name + ".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _no_class(project: Project, name: str, classes: dict[str, ast.ClassDef], file: Path) -> Finding:
    near = difflib.get_close_matches(name, classes, n=1) or [next(iter(classes), name)]
    module = project.handler.partition(":")[0]
    return Finding(
        message=f"handler = {project.handler!r}: {file.name} defines no class {name!r}.",
        file=file,
        line=1,
        key="handler",
        fix=f'handler = "{module}:{near[0]}"' if near[0] != name else f"class {name}(preheat.Handler):",
    )


def _look_at_class(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], handler_names: set[str], file: Path
) -> Iterator[Finding]:
    if not node.bases:
        yield Finding(
            message=f"Handler {node.name} does not derive from preheat.Handler.",
            file=file,
            line=node.lineno,
            fix=f"class {node.name}(preheat.Handler):",
        )
        return
    methods, all_known = _methods(node, classes, handler_names)
    yield from _misspelt(node.name, methods, file)
    if all_known and "predict" not in methods:
        yield Finding(
            message=f"Handler {node.name} has no predict(). It is called for every request.",
            file=file,
            line=node.lineno,
            fix=PREDICT,
        )


def _methods(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], handler_names: set[str]
) -> tuple[dict[str, Definition], bool]:
    """Return the methods of a class and of its bases in this file, and whether every base is known."""
    methods: dict[str, Definition] = {}
    all_known = True
    for base in node.bases:
        text = ast.unparse(base)
        if text in classes and classes[text] is not node:
            inherited, known = _methods(classes[text], classes, handler_names)
            methods |= inherited
            all_known = all_known and known
        elif text not in handler_names:
            all_known = False
    methods |= {item.name: item for item in node.body if isinstance(item, Definition)}
    assigned = {name.id for item in node.body for name in ast.walk(item) if isinstance(name, ast.Name)}
    return methods, all_known and not node.keywords and "predict" not in assigned


def _misspelt(class_name: str, methods: dict[str, Definition], file: Path) -> Iterator[Finding]:
    missing = [name for name in METHODS if name not in methods]
    for name, method in methods.items():
        near = difflib.get_close_matches(name, missing, n=1, cutoff=0.85)
        if near and name not in METHODS:
            prefix = "async def" if isinstance(method, ast.AsyncFunctionDef) else "def"
            yield Finding(
                message=f"{class_name}.{name}() is never called; {near[0]}() is.",
                file=file,
                line=method.lineno,
                fix=f"    {prefix} {near[0]}({ast.unparse(method.args)}):",
            )


def _handler_names(tree: ast.Module) -> set[str]:
    """Return the expressions under which the module knows preheat.Handler."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                modules = [alias.asname or alias.name for alias in aliases if alias.name == "preheat"]
                names |= {f"{module}.Handler" for module in modules}
            case ast.ImportFrom(module="preheat", names=aliases):
                names |= {alias.asname or alias.name for alias in aliases if alias.name == "Handler"}
    return names


def _bound_names(tree: ast.Module) -> set[str]:
    """Return the names that the module imports or assigns."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
    return names
