"""What the deploy role may do: what `preheat deploy`, `status`, `logs`, `invoke` and `destroy` call. Pure.

Everything that a deploy makes is called preheat-*, so that these statements end where others' things begin.
Here is what functions need, and every stack; `images`, `endpoints` and `destinations` have the rest.
"""

from preheat_providers._aws.bootstrap.bucket import NAME as BUCKET
from preheat_providers._aws.bootstrap.statements import (
    LOG_ACTIONS,
    NAME,
    PREFIX,
    ROLES,
    SCALING_ACTIONS,
    Statement,
    allow,
    deny,
    here,
    linked_role,
    s3,
    sub,
)

BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
ARTIFACTS = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}", {"Bucket": BUCKET}]}
ARTIFACT_OBJECTS = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}/preheat/*", {"Bucket": BUCKET}]}


def statements() -> tuple[Statement, ...]:
    """Return all of them, in order of services."""
    return (*_stacks(), *_functions(), *_roles(), *_storage(), *_messages(), *_endpoints(), *_watching())


def _stacks() -> tuple[Statement, ...]:
    changes = ["CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "TagResource"]
    reads = [
        "DescribeStackEvents",
        "DescribeStackResources",
        "DescribeStacks",
        "GetTemplate",
        "ListStackResources",
    ]
    stacks = [here("cloudformation", f"{kind}/{PREFIX}") for kind in ("stack", "changeSet")]
    own = here("cloudformation", f"stack/{NAME}/*")
    return (
        allow("Stacks", "cloudformation", [*changes, *reads, "DeleteStack", "UntagResource"], stacks),
        # A list of stacks is a list of all.
        allow("StackLists", "cloudformation", ["DescribeStacks", "ListStacks"], ["*"]),
        deny("NotThisOne", "cloudformation", ["DeleteStack", "ExecuteChangeSet"], [own]),
    )


def _functions() -> tuple[Statement, ...]:
    made = ["CreateAlias", "CreateFunction", "CreateFunctionUrlConfig", "PublishVersion"]
    changed = ["UpdateAlias", "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateFunctionUrlConfig"]
    removed = ["DeleteAlias", "DeleteFunction", "DeleteFunctionUrlConfig"]
    settings = ["AddPermission", "RemovePermission", "PutFunctionEventInvokeConfig"]
    settings += ["UpdateFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"]
    settings += ["PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"]
    settings += ["PutFunctionConcurrency", "DeleteFunctionConcurrency", "TagResource", "UntagResource"]
    reads = ["GetAlias", "GetFunction", "GetFunctionConcurrency", "GetFunctionConfiguration"]
    reads += [
        "GetFunctionEventInvokeConfig",
        "GetFunctionUrlConfig",
        "GetPolicy",
        "GetProvisionedConcurrencyConfig",
    ]
    reads += ["GetFunctionCodeSigningConfig", "GetFunctionRecursionConfig", "GetRuntimeManagementConfig"]
    reads += ["ListAliases", "ListProvisionedConcurrencyConfigs", "ListTags", "ListVersionsByFunction"]
    calls = ["InvokeFunction", "InvokeFunctionUrl"]
    functions = here("lambda", f"function:{PREFIX}")
    ours = {"ArnLike": {"lambda:FunctionArn": functions}}
    sources = ["CreateEventSourceMapping", "DeleteEventSourceMapping", "UpdateEventSourceMapping"]
    layers = ["DeleteLayerVersion", "GetLayerVersion", "PublishLayerVersion"]
    return (
        allow("Functions", "lambda", [*made, *changed, *removed, *settings, *reads, *calls], [functions]),
        allow("Layers", "lambda", layers, [here("lambda", f"layer:{PREFIX}")]),
        # A mapping that is yet to be made has no ARN; the function that it is for has one.
        allow("EventSources", "lambda", sources, ["*"], ours),
        allow("EventSourceLists", "lambda", ["GetEventSourceMapping", "ListEventSourceMappings"], ["*"]),
        allow(
            "EventSourceTags",
            "lambda",
            ["ListTags", "TagResource"],
            [here("lambda", "event-source-mapping:*")],
        ),
    )


def _roles() -> tuple[Statement, ...]:
    bounded = ["CreateRole", "DeleteRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy"]
    rest = ["DeleteRole", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"]
    rest += ["ListRoleTags", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole"]
    services = ["lambda.amazonaws.com", "scheduler.amazonaws.com"]
    return (
        allow("BoundedRoles", "iam", bounded, [ROLES], BOUNDED),
        allow("Roles", "iam", rest, [ROLES]),
        allow("HandOver", "iam", ["PassRole"], [ROLES], {"StringEquals": {"iam:PassedToService": services}}),
        linked_role("ScalingRole", "lambda.application-autoscaling.amazonaws.com"),
    )


def _storage() -> tuple[Statement, ...]:
    objects = ["AbortMultipartUpload", "GetObject", "ListMultipartUploadParts", "PutObject"]
    removed = ["DeleteObject", "DeleteObjectVersion"]
    buckets = ["CreateBucket", "DeleteBucket", "PutBucketTagging", "PutBucketOwnershipControls"]
    buckets += ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketPublicAccessBlock"]
    buckets += ["PutBucketNotification", "PutEncryptionConfiguration", "PutLifecycleConfiguration"]
    buckets += ["ListBucket", "ListBucketVersions"]
    guarded = ["DeleteBucket", "DeleteBucketPolicy", "PutBucketOwnershipControls", "PutBucketPolicy"]
    guarded += ["PutBucketNotification", "PutBucketPublicAccessBlock"]
    guarded += ["PutEncryptionConfiguration", "PutLifecycleConfiguration"]
    tables = [
        "CreateTable",
        "DeleteTable",
        "DescribeContinuousBackups",
        "DescribeTable",
        "DescribeTimeToLive",
    ]
    tables += ["ListTagsOfResource", "TagResource", "UntagResource", "UpdateTable", "UpdateTimeToLive"]
    tables += ["DeleteItem", "GetItem", "PutItem", "UpdateItem"]
    tables += ["DescribeContributorInsights", "DescribeKinesisStreamingDestination", "GetResourcePolicy"]
    return (
        allow("Artifacts", "s3", [*objects, *removed], [ARTIFACT_OBJECTS]),
        allow("ArtifactList", "s3", ["GetBucketLocation", "ListBucket", "ListBucketVersions"], [ARTIFACTS]),
        allow("JobBuckets", "s3", buckets, [s3(PREFIX)]),
        allow("JobObjects", "s3", ["GetObject", "PutObject", *removed], [s3(f"{PREFIX}/*")]),
        deny("ArtifactsStay", "s3", guarded, [ARTIFACTS]),
        allow("Tables", "dynamodb", tables, [here("dynamodb", f"table/{PREFIX}")]),
    )


def _messages() -> tuple[Statement, ...]:
    queues = ["CreateQueue", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "SetQueueAttributes"]
    queues += ["ListMessageMoveTasks", "ListQueueTags", "StartMessageMoveTask", "TagQueue", "UntagQueue"]
    queues += ["DeleteMessage", "ReceiveMessage", "SendMessage"]
    rules = ["DeleteRule", "DescribeRule", "ListTargetsByRule", "PutRule", "PutTargets", "RemoveTargets"]
    rules += ["ListTagsForResource", "TagResource", "UntagResource"]
    schedules = ["CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"]
    return (
        allow("Queues", "sqs", queues, [here("sqs", PREFIX)]),
        allow("Rules", "events", rules, [here("events", f"rule/{PREFIX}")]),
        allow("Schedules", "scheduler", schedules, [here("scheduler", f"schedule/default/{PREFIX}")]),
    )


def _endpoints() -> tuple[Statement, ...]:
    paths = ["/apis", "/apis/*", "/tags/*"]
    # The ids of APIs are drawn by chance, so that no name narrows them.
    gateways = [sub(f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::{path}") for path in paths]
    # Tags know no namespace, and no other name of theirs narrows scalable targets.
    tags = ["ListTagsForResource", "TagResource", "UntagResource"]
    reads = ["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"]
    targets = here("application-autoscaling", "scalable-target/*")
    ours = {"StringEquals": {"application-autoscaling:service-namespace": "lambda"}}
    return (
        allow("HttpApis", "apigateway", ["DELETE", "GET", "PATCH", "POST", "PUT"], gateways),
        allow("Scaling", "application-autoscaling", SCALING_ACTIONS, [targets], ours),
        allow("ScalingTags", "application-autoscaling", tags, [targets]),
        allow("ScalingLists", "application-autoscaling", reads, ["*"]),
    )


def _watching() -> tuple[Statement, ...]:
    alarms = ["DeleteAlarms", "ListTagsForResource", "PutMetricAlarm"]
    alarms += ["TagResource", "UntagResource"]
    tracking = here("cloudwatch", f"alarm:TargetTracking-function:{PREFIX}")
    return (
        allow("LogGroups", "logs", LOG_ACTIONS, [here("logs", "log-group:/preheat/*")]),
        allow("LogGroupList", "logs", ["DescribeLogGroups"], [here("logs", "log-group:*")]),
        allow("Alarms", "cloudwatch", alarms, [here("cloudwatch", f"alarm:{PREFIX}")]),
        # Target tracking makes its alarms for whoever sets it:
        # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
        allow("Tracking", "cloudwatch", ["DeleteAlarms", "PutMetricAlarm"], [tracking]),
        # Metrics have no ARN, and composite alarms are told only to who may see all:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        allow("Metrics", "cloudwatch", ["DescribeAlarms", "GetMetricData"], ["*"]),
    )
