import base64
import hashlib
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.fakes.jobs import MemoryJobs
from tests.fakes.surface import CONTRACT, client, only_token, settings, surface

from preheat.runtime.surface.app import build_app
from preheat.runtime.surface.schemas import components

pytestmark = pytest.mark.anyio

HOSTILE = "</script ><!--<script>alert(1)</script><img src=x onerror=alert(1)>&amp;/*script*/"


async def fetch(path: str, **overrides: Any) -> Any:
    async with client(surface(authenticate=only_token, **overrides)) as caller:
        answer = await caller.get(path)
    assert answer.status_code == 200
    return answer


async def test_schema_is_the_contract_document() -> None:
    assert (await fetch("/schema")).json() == CONTRACT


async def test_openapi_is_valid_and_has_every_route() -> None:
    document = (await fetch("/openapi.json", jobs=MemoryJobs())).json()
    OpenAPIV31SpecValidator(document).validate()
    served = {route.path for route in build_app(settings()).routes if hasattr(route, "path")}
    assert {path for path in served if path} <= set(document["paths"])


async def test_openapi_leaves_out_what_this_deployment_would_answer_with_501() -> None:
    document = (await fetch("/openapi.json", jobs=None, document=CONTRACT | {"stream": True})).json()
    OpenAPIV31SpecValidator(document).validate()
    assert not [path for path in document["paths"] if path.startswith("/jobs") or path.endswith("/infer")]
    operations = [item[key] for item in document["paths"].values() for key in item if key != "parameters"]
    assert not [operation for operation in operations if "501" in operation["responses"]]


async def test_openapi_holds_the_handlers_own_schemas_and_examples() -> None:
    document = (await fetch("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["Input"]["properties"]["where"] == {"$ref": "#/components/schemas/Input.Place"}
    assert schemas["Input.Place"] == CONTRACT["input"]["$defs"]["Place"]
    assert schemas["Output"] == CONTRACT["output"]
    body = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    assert body["examples"]["example 1"]["value"] == {"text": "hello"}


async def test_openapi_names_the_media_types_of_the_handler() -> None:
    contract = CONTRACT | {"input_media": ["image/*"], "output_media": ["application/json", "image/png"]}
    document = (await fetch("/openapi.json", document=contract)).json()
    OpenAPIV31SpecValidator(document).validate()
    operation = document["paths"]["/invocations"]["post"]
    assert list(operation["requestBody"]["content"]) == ["image/*"]
    assert list(operation["responses"]["200"]["content"]) == ["application/json", "image/png"]


@pytest.mark.parametrize(("media", "required"), [("application/json", True), ("*/*", False)])
async def test_openapi_demands_a_body_except_where_no_bytes_are_an_input(media: str, required: bool) -> None:
    document = (await fetch("/openapi.json", document=CONTRACT | {"input_media": [media]})).json()
    assert document["paths"]["/invocations"]["post"]["requestBody"]["required"] is required


def test_moving_a_schema_leaves_data_that_looks_like_a_reference_alone() -> None:
    schema = {
        "type": "object",
        "properties": {
            "$ref": {"type": "string"},
            "const": {"$ref": "#/$defs/a~1b[c]"},
            "self": {"anyOf": [{"$ref": "#"}, {"const": {"$ref": "#/$defs/x"}}]},
        },
        "$defs": {"a/b[c]": {"items": {"$ref": "#/$defs/a~1b[c]"}}},
    }
    moved = components("Input", schema)
    name = "Input.a_2f_b_5b_c_5d_"
    assert moved["Input"]["properties"] == {
        "$ref": {"type": "string"},
        "const": {"$ref": f"#/components/schemas/{name}"},
        "self": {"anyOf": [{"$ref": "#/components/schemas/Input"}, {"const": {"$ref": "#/$defs/x"}}]},
    }
    assert moved[name] == {"items": {"$ref": f"#/components/schemas/{name}"}}
    Draft202012Validator.check_schema(moved["Input"])


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_loads_nothing_from_anywhere(path: str) -> None:
    page = (await fetch(path)).text
    assert not re.search(r"""(?:src|href)=["'](?:[a-z]+:)?//""", page)
    assert "@import" not in page
    assert not re.search(r"\burl\(", page)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_pages_policy_allows_its_own_script_and_style_only(path: str) -> None:
    answer = await fetch(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, directive in (('script type="module"', "script-src"), ("style", "style-src")):
        [inline] = re.findall(rf"<{tag}>(.*?)</{tag.split()[0]}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_names_itself_and_leaves_no_placeholder(path: str) -> None:
    page = (await fetch(path)).text
    assert f"<title> · {'API' if path == '/docs' else 'Preheat'}</title>" in page
    assert "/*" not in page.partition("</title>")[0]
    assert page.count("<header>") == page.count("</header>") == 1


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_what_a_handler_says_of_itself_is_data_and_never_markup(path: str) -> None:
    contract = CONTRACT | {"title": HOSTILE, "description": HOSTILE, "examples": [{"text": HOSTILE}]}
    page = (await fetch(path, document=contract, name=HOSTILE)).text
    [data] = re.findall(r'<script type="application/json" id="about">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data
    about = json.loads(data)
    assert (about["name"], about["contract"]["description"]) == (HOSTILE, HOSTILE)
    assert "alert(1)" not in page.replace(data, "")
    assert "innerHTML" not in page
    assert "insertAdjacentHTML" not in page
