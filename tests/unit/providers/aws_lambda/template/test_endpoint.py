from typing import Any

import pytest
from tests.fakes.lambda_templates import of_kind, properties, template

from preheat.project.model import HttpTrigger, Resources
from preheat_providers.aws_lambda.options import Options

JWT = Options(auth="jwt", endpoint="http-api", jwt_issuer="https://i/", jwt_audience=("a", "b"))
API = Options(endpoint="http-api")


def permissions(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Action"]: each for each in of_kind(made, "Lambda::Permission").values()}


@pytest.mark.parametrize("auth", ["none", "token"])
def test_a_url_that_everybody_reaches_has_the_two_permissions_that_it_needs(auth: Any) -> None:
    made = template(http=HttpTrigger(auth=auth))
    assert properties(made, "Url")["AuthType"] == "NONE"
    found = permissions(made)
    assert set(found) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert found["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert found["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    assert all(each["FunctionName"] == {"Ref": "Alias"} for each in found.values())


def test_a_url_for_those_whom_iam_allows_is_open_to_nobody_else() -> None:
    made = template(options=Options(auth="iam"))
    assert properties(made, "Url")["AuthType"] == "AWS_IAM"
    assert permissions(made) == {}


def test_a_url_leads_to_the_alias() -> None:
    made = template()
    assert properties(made, "Url")["Qualifier"] == "live"
    assert made["Resources"]["Url"]["DependsOn"] == "Alias"
    assert made["Outputs"]["Endpoint"]["Value"] == {"Fn::GetAtt": ["Url", "FunctionUrl"]}


def test_an_http_api_leads_everything_to_the_alias_and_may_call_it_alone() -> None:
    made = template(options=API)
    assert properties(made, "ApiIntegration")["IntegrationUri"] == {"Ref": "Alias"}
    assert properties(made, "ApiIntegration")["PayloadFormatVersion"] == "2.0"
    assert properties(made, "ApiRoute")["RouteKey"] == "$default"
    assert properties(made, "ApiRoute")["AuthorizationType"] == "NONE"
    (permission,) = permissions(made).values()
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert "${Api}/*/$default" in permission["SourceArn"]["Fn::Sub"]
    assert made["Outputs"]["Endpoint"]["Value"] == {"Fn::GetAtt": ["Api", "ApiEndpoint"]}


def test_an_http_api_asks_for_the_jwt_that_the_options_name() -> None:
    made = template(options=JWT)
    assert properties(made, "ApiRoute")["AuthorizerId"] == {"Ref": "ApiAuthorizer"}
    authorizer = properties(made, "ApiAuthorizer")
    assert authorizer["JwtConfiguration"] == {"Issuer": "https://i/", "Audience": ["a", "b"]}


@pytest.mark.parametrize(("timeout_s", "expected"), [(60, 30_000), (10, 11_000)])
def test_an_http_api_waits_no_longer_than_it_can(timeout_s: float, expected: int) -> None:
    made = template(options=API, resources=Resources(timeout_s=timeout_s))
    assert properties(made, "ApiIntegration")["TimeoutInMillis"] == expected
