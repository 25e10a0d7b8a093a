"""What answers HTTPS: a Function URL, or an HTTP API of API Gateway."""

from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource, sub
from preheat_providers._aws.templates.urls import permission, url_resources
from preheat_providers.aws_lambda.template.names import ALIAS
from preheat_providers.aws_lambda.template.wanted import Wanted

API_TIMEOUT_MS = (50, 30_000)
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html, read on 2026-11-21."""


def endpoint_resources(wanted: Wanted) -> Resources:
    """Return the endpoint, and who may call the function through it."""
    if wanted.options.endpoint == "http-api":
        return _api(wanted)
    return url_resources("Function", iam=wanted.options.auth == "iam", qualifier=ALIAS, callee="Alias")


def endpoint_output(wanted: Wanted) -> Json:
    """Return the endpoint's address."""
    return att("Url", "FunctionUrl") if wanted.options.endpoint == "url" else att("Api", "ApiEndpoint")


def _api(wanted: Wanted) -> Resources:
    least, most = API_TIMEOUT_MS
    resources = {
        "Api": resource("AWS::ApiGatewayV2::Api", {"Name": wanted.function, "ProtocolType": "HTTP"}),
        "ApiIntegration": resource(
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": ref("Api"),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": ref("Alias"),
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": max(least, min(most, wanted.timeout_s * 1000)),
            },
        ),
        "ApiRoute": resource(
            "AWS::ApiGatewayV2::Route",
            {
                "ApiId": ref("Api"),
                "RouteKey": "$default",
                "Target": sub("integrations/${ApiIntegration}"),
                "AuthorizationType": "JWT" if wanted.options.auth == "jwt" else "NONE",
                "AuthorizerId": ref("ApiAuthorizer") if wanted.options.auth == "jwt" else None,
            },
        ),
        "ApiStage": resource(
            "AWS::ApiGatewayV2::Stage",
            {"ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": True},
        ),
        "ApiPermission": permission(
            "Alias",
            "lambda:InvokeFunction",
            "apigateway.amazonaws.com",
            SourceArn=sub(
                "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/$default"
            ),
        ),
    }
    if wanted.options.auth == "jwt":
        resources["ApiAuthorizer"] = _authorizer(wanted)
    return resources


def _authorizer(wanted: Wanted) -> Json:
    options = wanted.options
    return resource(
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": ref("Api"),
            "Name": "jwt",
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": options.jwt_issuer, "Audience": list(options.jwt_audience)},
        },
    )
