"""What CloudFormation refuses of a stack."""

from preheat_providers._aws.known.model import Known

STACKS = (
    Known(
        name="creation failed before",
        pattern=r"(?:Stack:)?(?P<stack>\S+) is in ROLLBACK_(?:COMPLETE|FAILED) state and can ?not be updated",
        why="Its creation failed once; such a stack can only be deleted.",
        hint="aws cloudformation delete-stack --stack-name {stack}  # the next deploy does this itself",
    ),
    Known(
        name="rollback failed before",
        pattern=r"(?:Stack:)?(?P<stack>\S+) is in UPDATE_ROLLBACK_FAILED state",
        why="An update failed, and so did going back; CloudFormation waits for the cause to be mended.",
        hint="aws cloudformation continue-update-rollback --stack-name {stack}",
    ),
    Known(
        name="stack is busy",
        codes=frozenset(("OperationInProgressException", "OperationStatusCheckFailedException")),
        pattern=r"is in \w+_IN_PROGRESS state and can ?not be updated"
        r"|cannot be deleted while in status \w+_IN_PROGRESS|InProgress stack|operation in progress",
        why="Somebody else changes the stack at this moment.",
        hint="The same command again: a deploy waits for what is under way.",
    ),
    Known(
        name="protected from deletion",
        pattern=r"Stack \[(?P<stack>[^\]]+)\] cannot be deleted while TerminationProtection is enabled",
        why="Somebody protected the stack from deletion.",
        hint="aws cloudformation update-termination-protection --no-enable-termination-protection"
        " --stack-name {stack}",
    ),
    Known(
        name="no such stack",
        pattern=r"Stack (?:with id |\[)(?P<stack>[^\]\s]+)\]? does not exist",
        why="There is no stack {stack} in this region of this account.",
        hint="Deploy, which makes it; or set AWS_REGION and AWS_PROFILE to where it is.",
    ),
    Known(
        name="stack made meanwhile",
        pattern=r"Stack \[(?P<stack>[^\]]+)\] already exists",
        why="Another deploy was faster: it has just made the stack {stack}.",
        hint="The same command again.",
    ),
    Known(
        name="change set is gone",
        codes=frozenset(("ChangeSetNotFound", "ChangeSetNotFoundException", "InvalidChangeSetStatus")),
        pattern=r"ChangeSet \[[^\]]*\] (?:does not exist|cannot be executed in its current status)",
        why="Another deploy was faster: running its change set has removed this one.",
        hint="The same command again.",
    ),
    Known(
        name="template too large",
        pattern=r"'templateBody' failed to satisfy constraint: Member must have length less than or equal to",
        why="A template may have 51,200 bytes.",
        hint="fewer triggers, alarms and variables in one project: preheat plan --template shows the text",
    ),
    Known(
        name="parameters missing",
        pattern=r"Parameters: \[(?P<names>[^\]]*)\] must have values",
        why="The stack has no values of {names} yet.",
        hint="give the secrets to this deploy: their values are not known from before",
    ),
    Known(
        name="capability missing",
        codes=frozenset(("InsufficientCapabilitiesException",)),
        pattern=r"Requires capabilities : \[(?P<names>[^\]]*)\]",
        why="The stack makes roles, which has to be said with the request.",
        hint="Let preheat deploy, which says it; or: aws cloudformation deploy --capabilities CAPABILITY_IAM",
    ),
    Known(
        name="checks before the deploy",
        pattern=r"AWS::EarlyValidation::(?P<check>\w+)",
        why="CloudFormation's own check before the deploy, {check}, found something.",
        hint="aws cloudformation describe-events --change-set-name ARN --filters FailedEvents=true",
    ),
    Known(
        name="a hook said no",
        pattern=r"The following hook\(s\) failed: \[(?P<hooks>[^\]]+)\]|Hook\(s\) failed",
        why="A rule of the organisation for resources, a hook, refused this one.",
        hint="ask who runs the hook what it demands; preheat plan --template shows what was asked for",
    ),
    Known(
        name="template refused",
        pattern=r"Template (?:format|validation) error|Template error|Circular dependency between resources"
        r"|Unresolved resource dependencies|extraneous key \[|Encountered unsupported property"
        r"|Properties validation failed for resource|Unrecognized resource types?",
        why="CloudFormation does not take the template: a type or property this region does not have yet.",
        hint="preheat plan --template > t.json && cfn-lint t.json  # and report it as an error of preheat",
    ),
)
