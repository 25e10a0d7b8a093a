"""A handler answers the same bytes wherever it runs: every project, deployed here and under Lambda's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import JSON, Asked, Make, ask_endpoint, ask_function
from tests.fakes.lambda_events import load_balancer, version_1, version_2
from tests.functional.same_answers.conftest import BODY_MB, PROJECTS, Pair

from preheat.project.config import load_project
from preheat_providers.aws_lambda.limits import project_findings
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.target import environment_of

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("same-answers")]

MAKERS: dict[str, Make] = {
    "v2": version_2,
    "v1": version_1,
    "alb": load_balancer,
    "alb, repeated headers": lambda *args: load_balancer(*args, multiple=True),
}
PNG = {"content-type": "image/png"}
CSV = {"content-type": "text/csv"}
EVENTS = "text/event-stream"
FORM = {"content-type": "multipart/form-data; boundary=xyz"}


def form(name: str, content: bytes, file: str = "") -> bytes:
    """Return a form with one part."""
    called = f'; filename="{file}"' if file else ""
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"{called}\r\n\r\n'
    return head.encode() + content + b"\r\n--xyz--\r\n"


def own_inputs(project: str, root: Path) -> Iterator[Asked]:
    """Yield what a project is asked beside its handler's examples."""
    match project:
        case "embeddings":
            for text in ("The cat sits on the mat.", "\u00dcberraschung \u65e5\u672c", "long " * 500, ""):
                yield Asked(json.dumps({"text": text}, ensure_ascii=False).encode())
        case "generate":
            for text in ("abcabx ab", "\u00dcber \u00dc", ""):
                yield Asked(json.dumps({"text": text, "max_tokens": 9}).encode())
            yield Asked(b'{"text": "a b a ", "temperature": 1.5, "seed": 3}', {**JSON, "accept": EVENTS})
        case "ocr":
            pages = sorted((root / "images").glob("*.png"))
            yield from (Asked(page.read_bytes(), PNG) for page in pages)
            yield Asked(form("image", pages[0].read_bytes(), "page.png"), FORM)
            yield Asked(pages[0].read_bytes()[:200], PNG)
        case "echo":
            for value in (None, 1e300, 10**18, [1, {"\u00e4": "\U0001f642"}], "\x00\x1f\u2028"):
                yield Asked(json.dumps({"value": value, "count": 3}).encode())
            yield Asked(form("value", b"text"), FORM)
        case "batched":
            yield from (Asked(body) for body in (b"-12", b"0", b"3.0", b"2.5", b"true"))
        case "call":
            yield Asked(b"1", {**JSON, "x-preheat-tenant": "blue", "cookie": "secret", "x-other": "x"})
            attributes = {"x-amzn-sagemaker-custom-attributes": "a=b", "x-amzn-sagemaker-inference-id": "j-1"}
            yield Asked(b"2", JSON | attributes)
        case "failing":
            yield from (Asked(json.dumps(way).encode()) for way in ("raise", "refuse", "\u00fc"))
        case "file":
            yield Asked(bytes(range(256)), PNG)
            yield Asked(b"abc", CSV)
            yield Asked("\u00fc".encode()[:1], CSV)
            yield Asked(b"abc", {**CSV, "accept": "application/json"})
            yield Asked(form("file", b"abc", "a.csv"), FORM)
        case "stream":
            yield Asked(b"0")
            for accept in ("application/x-ndjson", "text/event-stream", "application/json", "image/png"):
                yield Asked(b"3", {**JSON, "accept": accept})


NESTED = b"[" * 100_000 + b"]" * 100_000
BAD = {
    "nothing": Asked(b""),
    "no JSON": Asked(b"["),
    "no JSON in an object": Asked(b'{"text": "a",}'),
    "no UTF-8": Asked(b'"\xff"'),
    "half a surrogate pair": Asked(rb'"\ud800"'),
    "not a number": Asked(b"NaN"),
    "a number beyond floats": Asked(b"1e999"),
    "an integer beyond floats": Asked(b"-" + b"9" * 400),
    "an integer too long to read": Asked(b"-" + b"9" * 5000),
    "null": Asked(b"null"),
    "a string": Asked(b'"nothing"'),
    "a list": Asked(b"[1, 2]"),
    "a field that nobody knows": Asked(b'{"txt": "wrong"}'),
    "fields of wrong types": Asked(b'{"text": 3, "value": [], "count": "x"}'),
    "a field twice": Asked(b'{"text": "a", "text": "b", "value": 1, "value": 2}'),
    "nested too deeply": Asked(NESTED),
    "objects nested too deeply": Asked(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "nested in a field": Asked(b'{"text": ' + b"[" * 65 + b"]" * 65 + b"}"),
    "too large": Asked(b'"' + b"x" * (BODY_MB << 20) + b'"'),
    "a media type of nobody": Asked(b"x", {"content-type": "text/css"}),
    "no media type": Asked(b'{"text": "a"}', {"content-type": ""}),
    "a broken media type": Asked(b'{"text": "a"}', {"content-type": "json; ;=,"}),
    "another charset": Asked(b'"a"', {"content-type": "application/json; charset=utf-16"}),
    "a form without a boundary": Asked(b"x", {"content-type": "multipart/form-data"}),
    "a form that ends early": Asked(form("file", b"abc")[:40], FORM),
    "no image": Asked(b"\x89PNG\r\n\x1a\nrest", PNG),
    "base64 that is none": Asked(b'{"file": "***", "image": "***"}'),
    "an answer of a kind that nobody makes": Asked(b"3", {**JSON, "accept": "video/mp4"}),
    "a time limit that is no number": Asked(b"3", {**JSON, "x-preheat-timeout-s": "soon"}),
    "no time at all": Asked(b"3", {**JSON, "x-preheat-timeout-s": "0"}),
    "another method": Asked(None, {}, method="GET"),
    "no route": Asked(b"{}", JSON, path="/invocations/"),
}
"""What no project, or nearly none, takes."""


def same(pair: Pair, asked: Asked) -> int:
    """Ask both platforms, by each kind of event, and return the status."""
    asked = Asked(asked.body, {**pair.authorization, **asked.headers}, asked.path, asked.method)
    expected = ask_endpoint(pair.endpoint, asked)
    for name, make in MAKERS.items():
        assert ask_function(pair.function, asked, make) == expected, name
    return expected[0]


def test_the_handlers_examples_and_inputs_like_them(pair: Pair) -> None:
    assert pair.examples
    for example in pair.examples:
        assert same(pair, Asked(json.dumps(example).encode())) == 200
    statuses = [same(pair, asked) for asked in own_inputs(pair.name, pair.root)]
    assert not statuses or 200 in statuses


@pytest.mark.parametrize("asked", BAD.values(), ids=BAD)
def test_bad_inputs(pair: Pair, asked: Asked) -> None:
    assert same(pair, asked) < 500


def test_a_caller_without_the_token(pair: Pair) -> None:
    asked = Asked(json.dumps(pair.examples[0]).encode())
    expected = ask_endpoint(pair.endpoint, asked)
    assert expected[0] == (401 if pair.authorization else 200)
    for make in MAKERS.values():
        assert ask_function(pair.function, asked, make) == expected


@pytest.mark.parametrize("path", ["/ping", "/healthz", "/readyz"])
def test_health(pair: Pair, path: str) -> None:
    assert same(pair, Asked(None, {}, path, "GET")) == 200


def test_routes_and_methods_that_are_not_there(pair: Pair) -> None:
    assert same(pair, Asked(None, {}, "/nowhere", "GET")) == 404
    for path in ("/", "/docs", "/schema", "/openapi.json", "/ping", "/invocations"):
        assert same(pair, Asked(b"", {}, path, "DELETE")) == 405


def test_what_is_told_of_a_project(pair: Pair) -> None:
    """With the answers to its examples, which the build has learned and every platform tells."""
    schema = json.loads(ask_endpoint(pair.endpoint, Asked(None, {}, "/schema", "GET"))[2])
    assert len(schema["answers"]) == len(pair.examples)
    for path in ("/schema", "/", "/docs"):
        assert same(pair, Asked(None, {}, path, "GET")) == 200


def test_what_is_told_of_the_routes_is_the_same_but_for_jobs_which_this_function_lacks(pair: Pair) -> None:
    asked = Asked(None, {}, "/openapi.json", "GET")
    here = json.loads(ask_endpoint(pair.endpoint, asked)[2])["paths"]
    for make in MAKERS.values():
        there = json.loads(ask_function(pair.function, asked, make)[2])["paths"]
        assert all(path.startswith("/jobs") for path in here.keys() - there.keys())
        assert there == {path: here[path] for path in there}


def test_the_inference_protocol(pair: Pair) -> None:
    model = f"/v2/models/{pair.name}"
    for path in ("/v2", "/v2/health/live", "/v2/health/ready", model, f"{model}/ready", "/v2/models/other"):
        assert same(pair, Asked(None, {}, path, "GET")) in (200, 404)
    described = json.loads(ask_endpoint(pair.endpoint, Asked(None, pair.authorization, model, "GET"))[2])
    for body, status in (
        (infer_request(described["inputs"], pair.examples[0]), 200),
        (b"{}", 400),
        (b'{"inputs": []}', 400),
        (b'{"inputs": [{"name": "x", "datatype": "FP9", "shape": [-1], "data": {}}]}', 400),
        (NESTED, 400),
    ):
        assert same(pair, Asked(body, JSON, f"{model}/infer")) == (501 if pair.is_stream else status)


def infer_request(inputs: list[dict[str, Any]], example: Any) -> bytes:
    """Return a request of the protocol for one example of a handler."""
    tensors = [
        {
            "name": each["name"],
            "datatype": each["datatype"],
            "shape": [max(1, size) for size in each["shape"]],
            "data": [example[each["name"]] if each["name"] != "input" else json.dumps(example)],
        }
        for each in inputs
    ]
    return json.dumps({"id": "r-1", "inputs": tensors}).encode()


@pytest.mark.parametrize("folder", PROJECTS.values(), ids=PROJECTS)
def test_lambda_takes_every_project(folder: Path) -> None:
    project = load_project(folder, "dev", provider_schemas={"aws_lambda": SCHEMA})
    environment = environment_of(project, Options())
    assert not project_findings(project, Options(), environment=environment)
