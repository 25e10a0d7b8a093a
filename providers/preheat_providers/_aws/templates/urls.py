"""A Function URL, and who may call the function through it."""

from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource


def url_resources(
    function: str, *, iam: bool, qualifier: str | None = None, callee: str | None = None
) -> Resources:
    """Return the URL of the function with that logical id; whom IAM allows needs no permission here.

    Everybody else needs two since October 2025, on `callee` (an alias) where there is one:
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html, read on 2026-11-21
    """
    properties = {
        "TargetFunctionArn": att(function),
        "Qualifier": qualifier,
        "AuthType": "AWS_IAM" if iam else "NONE",
    }
    attributes = {"DependsOn": callee} if callee else {}
    url = resource("AWS::Lambda::Url", properties, **attributes)
    if iam:
        return {"Url": url}
    called = callee or function
    return {
        "Url": url,
        "UrlPermission": permission(called, "lambda:InvokeFunctionUrl", "*", FunctionUrlAuthType="NONE"),
        "UrlCallPermission": permission(called, "lambda:InvokeFunction", "*", InvokedViaFunctionUrl=True),
    }


def permission(function: str, action: str, principal: str, **conditions: object) -> Json:
    """Return what lets `principal` do `action` with the function or alias of that logical id."""
    return resource(
        "AWS::Lambda::Permission",
        {"Action": action, "FunctionName": ref(function), "Principal": principal, **conditions},
    )
