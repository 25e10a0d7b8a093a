"""What boto3 says of a deployed function: what starts it, what answers for it, what it has and may do."""

import json
from typing import Any

from tests.fakes.aws.cloud import Cloud

from preheat_providers.aws_lambda.shipped.settings import TOKEN
from preheat_providers.aws_lambda.shipped.weights.fetch import BUCKET
from preheat_providers.aws_lambda.template.names import ALIAS

SERVICES = ("apigatewayv2", "cloudwatch", "dynamodb", "events", "iam", "lambda", "logs", "s3", "scheduler")


class Reader:
    """Reads one account. Its clients are made once: each takes longer than what it is asked."""

    def __init__(self, cloud: Cloud) -> None:
        self._clients = {name: cloud.client(name) for name in SERVICES}

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()

    def facts(self, stack: str, group: str) -> dict[str, Any]:
        """Return what is true of the function of a stack, whose log group is `group`."""
        live = self._clients["lambda"].get_function_configuration(FunctionName=stack, Qualifier=ALIAS)
        variables = live["Environment"]["Variables"]
        layers = {each["Arn"].split(":")[6] for each in live.get("Layers", ())}
        return {
            **self._starting(stack),
            **self._answering(stack),
            **self._keeping(stack, group),
            **self._alarms(stack),
            "may": self._statements(live["Role"].rpartition("/")[2]),
            "ready": self._ready(stack),
            "snapshots": live.get("SnapStart", {}).get("ApplyOn"),
            "layers": {each.removeprefix(f"{stack}-") for each in layers},
            "runtime": " ".join((live.get("Runtime", "image"), *live["Architectures"])),
            "tracing": live["TracingConfig"]["Mode"],
            "token": TOKEN in variables,
            "fetches": BUCKET in variables,
            "level": variables.get("LEVEL"),
            "secrets": {name for name in variables if name.upper() == "HUB_TOKEN"},
        }

    def _starting(self, stack: str) -> dict[str, Any]:
        """Return the queues that the alias reads, the buckets that are watched, and when it is called."""
        functions, events, schedules = (self._clients[name] for name in ("lambda", "events", "scheduler"))
        mappings = functions.list_event_source_mappings(FunctionName=f"{stack}:{ALIAS}")
        queues = {each["EventSourceArn"].rpartition(":")[2] for each in mappings["EventSourceMappings"]}
        rules = events.list_rules(NamePrefix=f"{stack}-")["Rules"]
        patterns = [json.loads(each["EventPattern"]) for each in rules]
        called = [
            schedules.get_schedule(Name=each["Name"])
            for each in schedules.list_schedules()["Schedules"]
            if each["Target"]["Arn"].endswith(f":{stack}:{ALIAS}")
        ]
        return {
            "sources": {logical(queue, stack) for queue in queues},
            "watched": {bucket for each in patterns for bucket in each["detail"]["bucket"]["name"]},
            "schedules": {each["Name"].rpartition(".")[2]: each["ScheduleExpression"] for each in called},
        }

    def _answering(self, stack: str) -> dict[str, Any]:
        """Return what answers HTTPS, whom it lets in, and who may call the alias."""
        functions, apis = self._clients["lambda"], self._clients["apigatewayv2"]
        urls = functions.list_function_url_configs(FunctionName=stack)["FunctionUrlConfigs"]
        mine = [each["ApiId"] for each in apis.get_apis()["Items"] if each["Name"] == stack]
        try:
            policy = json.loads(functions.get_policy(FunctionName=stack, Qualifier=ALIAS)["Policy"])
        except functions.exceptions.ResourceNotFoundException:
            policy = {"Statement": []}
        principals = [each["Principal"] for each in policy["Statement"]]
        return {
            "urls": [each["AuthType"] for each in urls],
            "apis": [guard for api in mine for guard in self._guards(api)],
            "callers": {each["Service"] if isinstance(each, dict) else each for each in principals},
        }

    def _guards(self, api: str) -> list[str]:
        """Return what each route of an API asks for."""
        apis = self._clients["apigatewayv2"]
        settings = {
            each["AuthorizerId"]: each["JwtConfiguration"]
            for each in apis.get_authorizers(ApiId=api)["Items"]
        }
        guards = []
        for route in apis.get_routes(ApiId=api)["Items"]:
            jwt = settings.get(route.get("AuthorizerId"))
            asked = (jwt["Issuer"], *jwt["Audience"]) if jwt else ()
            guards.append(" ".join((route["AuthorizationType"], *asked)))
        return guards

    def _keeping(self, stack: str, group: str) -> dict[str, Any]:
        """Return what remembers: logs, buckets and tables, and where calls go that failed for good."""
        functions, s3, tables, logs = (self._clients[name] for name in ("lambda", "s3", "dynamodb", "logs"))
        [log] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        configs = functions.list_function_event_invoke_configs(FunctionName=stack)
        destinations = [
            each["DestinationConfig"]["OnFailure"]["Destination"]
            for each in configs["FunctionEventInvokeConfigs"]
        ]
        buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
        return {
            "log_days": log["retentionInDays"],
            "buckets": sum(name.startswith(f"{stack}-") for name in buckets),
            "tables": sum(name.startswith(f"{stack}-") for name in tables.list_tables()["TableNames"]),
            "given_up": [logical(each.rpartition(":")[2], stack) for each in destinations],
        }

    def _alarms(self, stack: str) -> dict[str, Any]:
        """Return the alarms, and who is told."""
        alarms = self._clients["cloudwatch"].describe_alarms(AlarmNamePrefix=f"{stack}-")["MetricAlarms"]
        return {
            "alarms": {each["AlarmName"].removeprefix(f"{stack}-") for each in alarms},
            "told": {action for each in alarms for action in each["AlarmActions"]},
        }

    def _statements(self, role: str) -> set[str]:
        """Return what a role is for, by the statements of its policy."""
        found = self._clients["iam"].get_role_policy(RoleName=role, PolicyName="preheat")
        return {each["Sid"] for each in found["PolicyDocument"]["Statement"]}

    def _ready(self, stack: str) -> int:
        """Return how many environments the alias keeps ready."""
        functions = self._clients["lambda"]
        try:
            found = functions.get_provisioned_concurrency_config(FunctionName=stack, Qualifier=ALIAS)
        except functions.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return 0
        ready: int = found["RequestedProvisionedConcurrentExecutions"]
        return ready


def logical(name: str, stack: str) -> str:
    """Return what the template calls what CloudFormation has named; names of others stay."""
    own = name.removeprefix(f"{stack}-")
    return name if own == name else own.rpartition("-")[0]
