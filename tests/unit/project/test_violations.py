"""What breaks the schema, as preheat.toml's author reads it."""

from collections.abc import Callable

import pytest

from preheat.errors import Located

Mistakes = Callable[..., tuple[Located, ...]]


def only(findings: tuple[Located, ...]) -> Located:
    (finding,) = findings
    return finding


@pytest.mark.parametrize(
    ("toml", "key", "line", "said", "fix"),
    [
        (
            "[resources]\nmemroy_mb = 512\n",
            "resources.memroy_mb",
            4,
            "did you mean 'memory_mb'?",
            "memory_mb = 512",
        ),
        ("[resorces]\nmemory_mb = 5\n", "resorces", 3, "did you mean 'resources'?", "[resources]"),
        (
            '[resources]\nmemory_mb = "512"\n',
            "resources.memory_mb",
            4,
            'is "512"; it must be a whole',
            "memory_mb = 512",
        ),
        ("[resources]\nmemory_mb = 512.5\n", "resources.memory_mb", 4, "a whole number", "memory_mb = 512"),
        ("[resources]\nmemory_mb = true\n", "resources.memory_mb", 4, "is true; it must", "memory_mb = 2048"),
        (
            "[resources]\ntimeout_s = 86401\n",
            "resources.timeout_s",
            4,
            "at most 86400 s",
            "timeout_s = 86400",
        ),
        ("[resources]\ncpu = 0\n", "resources.cpu", 4, "more than 0 processors", "cpu = 0.5"),
        ("[scaling]\nmax = 0\n", "scaling.max", 4, "at least 1 workers", "max = 1"),
        ("resources = 5\n", "resources", 3, "is 5; it must be a table", None),
        ('python = "2.7"\n', "python", 3, "a version such as 3.12", 'python = "3.12"'),
        ("python = 3.12\n", "python", 3, "is 3.12; it must be a string", 'python = "3.12"'),
        ("requirements = [1]\n", "requirements[0]", 3, "is 1; it must be a string", '"1",'),
        (
            "requirements = 1\n",
            "requirements",
            3,
            "a list or a string",
            'requirements = ["numpy>=2", "onnxruntime>=1.20"]',
        ),
        ("[env]\nLEVEL = 3\n", "env.LEVEL", 4, "it must be a string", 'LEVEL = "3"'),
        ('[env]\n"a b" = "x"\n', 'env."a b"', 4, "letters, digits and underscores", None),
        (
            '[triggers.http]\nauth = "tokn"\n',
            "triggers.http.auth",
            4,
            "did you mean 'token'?",
            'auth = "token"',
        ),
        (
            '[triggers.x]\ntype = "object-create"\n',
            "triggers.x.type",
            4,
            "'object-created'?",
            'type = "object-created"',
        ),
        ("[triggers.x]\n", "triggers.x.type", 3, "has no 'type', which it needs", 'type = "object-created"'),
        ('[triggers.x]\ntype = "queue"\n', "triggers.x.queue", 3, "has no 'queue'", 'queue = "pictures"'),
        ('[triggers.X]\ntype = "http"\n', "triggers.X", 3, "is no valid name", "triggers.x"),
        ("[weights.m]\n", "weights.m.source", 3, "has no 'source'", 'source = "file:models/model.onnx"'),
        (
            '[weights.m]\nsource = "http://a/b"\n',
            "weights.m.source",
            4,
            "file:PATH",
            'source = "file:models/model.onnx"',
        ),
        ("[stage.prod]\nname = 'x'\n", "stage.prod.name", 4, "has no key 'name'; it knows handler", None),
        ("[stage.prod.scaling]\nmx = 3\n", "stage.prod.scaling.mx", 4, "did you mean 'max'?", "max = 3"),
        ("[stage.Prod]\n", "stage.Prod", 3, "is no valid name", "stage.prod"),
        ("[provider.local]\nprt = 8080\n", "provider.local.prt", 4, "did you mean 'port'?", "port = 8080"),
        ("[provider.local]\nport = 80\n", "provider.local.port", 4, "at least 1024", "port = 1024"),
        ("[provider.modal]\n", "provider.modal.workspace", 3, "has no 'workspace'", 'workspace = "team"'),
        ("[provider.locl]\nport = 1\n", "provider.locl", 3, "Installed: local, modal.", "[provider.local]"),
        (
            "[stage.prod.provider.locl]\n",
            "stage.prod.provider.locl",
            3,
            "no provider 'locl'",
            "[provider.local]",
        ),
    ],
)
def test_a_mistake_names_key_line_value_and_the_line_to_paste(
    mistakes: Mistakes, toml: str, key: str, line: int, said: str, fix: str | None
) -> None:
    finding = only(mistakes(toml))
    assert (finding.key, finding.line) == (key, line)
    assert said in finding.message
    assert finding.fix == fix


@pytest.mark.parametrize(
    ("head", "key", "fix"),
    [
        ('name = "My Model"\nhandler = "handler:Model"\n', "name", 'name = "my-model"'),
        ('name = "demo\\n"\nhandler = "handler:Model"\n', "name", 'name = "demo"'),
        ('name = "demo"\nhandler = "handler.py:Model"\n', "handler", 'handler = "handler:Model"'),
        ('name = "demo"\nhandler = "handler.Greeter"\n', "handler", 'handler = "handler:Greeter"'),
        ('name = "demo"\nhandler = "./models/my.py:H"\n', "handler", 'handler = "models.my:H"'),
        ('name = "demo"\nhandler = "models/my.H"\n', "handler", 'handler = "models.my:H"'),
        ('name = "demo"\nhandler = "Model"\n', "handler", 'handler = "handler:Embedder"'),
        ('name = "demo"\nhandlr = "handler:Model"\n', "handlr", 'handler = "handler:Model"'),
        ('name = "demo"\n', "handler", 'handler = "handler:Embedder"'),
    ],
)
def test_name_and_handler_must_be_there_and_well_formed(
    mistakes: Mistakes, head: str, key: str, fix: str
) -> None:
    finding = only(mistakes(head=head))
    assert (finding.key, finding.fix) == (key, fix)


def test_a_missing_top_level_key_has_the_file_and_no_line(mistakes: Mistakes) -> None:
    finding = only(mistakes(head='handler = "handler:Model"\n'))
    assert finding.file is not None
    assert (finding.file.name, finding.line) == ("preheat.toml", None)


def test_what_stands_in_the_place_of_a_secrets_reference_is_never_repeated(mistakes: Mistakes) -> None:
    shared = only(mistakes('[secrets]\nTOKEN = "hunter2"\n'))
    staged = only(mistakes('[stage.prod.secrets]\nTOKEN = "hunter2"\n'))
    assert "hunter2" not in f"{shared} {shared.fix} {staged} {staged.fix}"
    assert "never the secret itself" in shared.message


def test_a_long_value_is_cut(mistakes: Mistakes) -> None:
    assert len(only(mistakes(f'python = "{"3" * 5000}"\n')).message) < 250
