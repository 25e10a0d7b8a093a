"""What answers HTTPS: a Function URL, or an HTTP API of API Gateway."""

from preheat_providers.aws_lambda.template.intrinsics import Json, Resources, att, ref, resource, sub
from preheat_providers.aws_lambda.template.names import ALIAS
from preheat_providers.aws_lambda.template.wanted import Wanted

API_TIMEOUT_MS = (50, 30_000)
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html, read on 2026-11-21."""


def endpoint_resources(wanted: Wanted) -> Resources:
    """Return the endpoint, and who may call the function through it."""
    return _url(wanted) if wanted.options.endpoint == "url" else _api(wanted)


def endpoint_output(wanted: Wanted) -> Json:
    """Return the endpoint's address."""
    return att("Url", "FunctionUrl") if wanted.options.endpoint == "url" else att("Api", "ApiEndpoint")


def _url(wanted: Wanted) -> Resources:
    """Return a URL; whom IAM allows needs no permission here, and everybody needs two since October 2025.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html, read on 2026-11-21
    """
    iam = wanted.options.auth == "iam"
    url = resource(
        "AWS::Lambda::Url",
        {
            "TargetFunctionArn": att("Function"),
            "Qualifier": ALIAS,
            "AuthType": "AWS_IAM" if iam else "NONE",
        },
        DependsOn="Alias",
    )
    if iam:
        return {"Url": url}
    return {
        "Url": url,
        "UrlPermission": _permission("lambda:InvokeFunctionUrl", "*", FunctionUrlAuthType="NONE"),
        "UrlCallPermission": _permission("lambda:InvokeFunction", "*", InvokedViaFunctionUrl=True),
    }


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
        "ApiPermission": _permission(
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


def _permission(action: str, principal: str, **conditions: object) -> Json:
    return resource(
        "AWS::Lambda::Permission",
        {"Action": action, "FunctionName": ref("Alias"), "Principal": principal, **conditions},
    )
