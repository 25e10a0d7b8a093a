"""What Lambda refuses of a function.

The quotas: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (read on 2026-11-21).
"""

from preheat_providers._aws.known.model import Known

QUOTA = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code "
CONCURRENT = QUOTA + "L-B99A9384 --desired-value 1000"

FUNCTIONS = (
    Known(
        name="too large unpacked",
        pattern=r"Unzipped size must be smaller than (?P<most>\d+) bytes"
        r"|combined with layers exceeds the maximum allowed size of (?P<all>\d+) bytes",
        why="A function and its layers may unpack to 250 MB.",
        hint='weights = "s3" or package = "image" in [provider.aws_lambda]: preheat build shows the sizes',
    ),
    Known(
        name="image not readable",
        pattern=r"Lambda does not have permission to access the ECR image",
        why="Somebody has changed the policy of the image repository, which lets Lambda read it.",
        hint="preheat destroy NAME --provider lambda  # then deploy again, which makes the policy anew",
    ),
    Known(
        name="request too large",
        codes=frozenset(("RequestEntityTooLargeException", "RequestTooLargeException")),
        pattern=r"Request must be smaller than \d+ bytes",
        why="A call of Lambda's API, or the event of one, may have 6 MB, an asynchronous one 1 MB.",
        hint="Put larger inputs into a bucket whose uploads run the function: an object-created trigger.",
    ),
    Known(
        name="memory quota",
        pattern=r"'MemorySize' value failed to satisfy constraint: Member must have value less than or equal"
        r" to (?P<most>\d+)",
        why="This account may give a function {most} MB; new accounts start with less than the 10,240 MB.",
        hint="memory_mb = {most}  # in [resources]; more comes by a case: https://console.aws.amazon.com/support",
    ),
    Known(
        name="too little concurrency left",
        pattern=r"decreases account's UnreservedConcurrentExecution below its minimum value of"
        r" \[(?P<least>\d+)\]",
        why="What is reserved or provisioned must leave {least} concurrent executions to the account's other"
        " functions.",
        hint=CONCURRENT + "  # or reserve less",
    ),
    Known(
        name="provisioned over the limit",
        pattern=r"greater than account's unreserved concurrency"
        r"|Requested Provisioned Concurrency should not be greater than",
        why="More environments are to be provisioned than the account or the function may run at once.",
        hint="provisioned = 1 in [provider.aws_lambda], or: " + CONCURRENT,
    ),
    Known(
        name="provisioning failed",
        pattern=r"FUNCTION_ERROR_INIT_FAILURE|Provisioned Concurrency configuration failed to be applied",
        why="The function failed when its environments started, so that none could be provisioned.",
        hint="The function's logs show why setup failed.",
    ),
    Known(
        name="no SnapStart",
        pattern=r"(?P<runtime>\S+) is not supported for SnapStart enabled functions"
        r"|SnapStart is not (?:supported|available)",
        why="SnapStart needs Python 3.12 or later, and there are regions without it.",
        hint='python = "3.13", or warm = "schedule" in [provider.aws_lambda]'
        "  # https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html",
    ),
    Known(
        name="variables too large",
        pattern=r"environment variables you have provided exceeded the 4KB limit",
        why="All variables and secrets together, names and values, may have 4,096 bytes.",
        hint="move the largest of [env] to a file of the project",
    ),
    Known(
        name="variable is reserved",
        pattern=r"reserved keys that are currently not supported for modification\."
        r" Reserved keys used in this request: (?P<names>[A-Z0-9_, ]+)",
        why="Lambda itself sets {names}.",
        hint="take {names} out of [env] and [secrets]",
    ),
    Known(
        name="runtime not supported",
        pattern=r"runtime parameter of (?P<old>\S+) is no longer supported"
        r"|at 'runtime' failed to satisfy constraint",
        why="Lambda does not take this version of Python, or does no longer.",
        hint='python = "3.13" in preheat.toml  # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html',
    ),
    Known(
        name="architecture not supported",
        pattern=r"does not support the following architectures|CompatibleArchitectures are not supported in",
        why="This region or this runtime has no such processors.",
        hint='architecture = "x86_64" in [provider.aws_lambda]',
    ),
    Known(
        name="too many layers",
        pattern=r"cannot reference more than (?P<most>\d+) layers"
        r"|at 'layers' failed to satisfy constraint: Member must have length less than or equal to 5",
        why="A function may have five layers.",
        hint="take layers out of the function; preheat itself uses two at most",
    ),
    Known(
        name="layer is gone",
        pattern=r"Layer version (?P<layer>\S+) does not exist",
        why="The layer {layer} was deleted by somebody, or is in another region.",
        hint="Deploy to another --stage, which makes the layers anew; then destroy this one.",
    ),
    Known(
        name="code storage full",
        codes=frozenset(("CodeStorageExceededException",)),
        pattern=r"Code storage limit exceeded",
        why="The functions, versions and layers of this region fill the account's 75 GB.",
        hint=QUOTA + "L-2ACBD22F --desired-value 150  # or delete old versions and layers",
    ),
    Known(
        name="update under way",
        pattern=r"An update is in progress for resource"
        r"|function is currently in the following state: Pending",
        why="Another change of the function has not ended yet.",
        hint="The same command again, in a minute.",
    ),
    Known(
        name="function exists",
        pattern=r"Function already exists?: (?P<function>\S+)",
        why="There is a function {function} that this stack did not make.",
        hint="aws lambda delete-function --function-name {function}  # or another name or stage",
    ),
    Known(
        name="queue hides too shortly",
        pattern=r"Queue visibility timeout: (?P<queue>\d+) seconds is less than Function timeout:"
        r" (?P<function>\d+) seconds",
        why="A message would come back after {queue} seconds while the function may still work on it for"
        " {function}.",
        hint="aws sqs set-queue-attributes --queue-url URL --attributes VisibilityTimeout=$((6 * {function}))"
        "  # AWS recommends six times; or a smaller timeout_s",
    ),
    Known(
        name="source is connected already",
        pattern=r"provided mapping already exists. Please update or delete the existing mapping with UUID"
        r" (?P<id>[\w-]+)",
        why="The queue already feeds this function by a mapping that the stack did not make.",
        hint="aws lambda delete-event-source-mapping --uuid {id}",
    ),
    Known(
        name="policy too large",
        codes=frozenset(("PolicyLengthExceededException",)),
        pattern=r"final policy size \(\d+\) is bigger than the limit",
        why="The function's own policy may have 20 KB, and every allowed caller takes some of it.",
        hint="aws lambda get-policy --function-name NAME  # remove what is not needed",
    ),
)
