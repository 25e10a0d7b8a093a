"""What a deployed template is made of, read back by those who operate the function. Pure."""

from preheat_providers._aws.templates.anatomy import QUEUE, Template, of_kind

FAILED_CALLS = "FailedCalls"
"""The logical id of the queue of asynchronous calls that failed for good."""


def code_key(template: Template) -> str:
    """Return the key of the archive that the stack gives the function."""
    key: str = template["Resources"]["Function"]["Properties"]["Code"]["S3Key"]
    return key


def dead_letter_queues(template: Template) -> dict[str, str]:
    """Return the logical id of each queue of dead letters, and that of the queue they come from."""
    found = {}
    for name, properties in of_kind(template, QUEUE):
        if redrive := properties.get("RedrivePolicy"):
            dead, _ = redrive["deadLetterTargetArn"]["Fn::GetAtt"]
            found[dead] = name
    return found


def keeps_failed_calls(template: Template) -> bool:
    """Say whether there is a queue of asynchronous calls that failed for good."""
    return FAILED_CALLS in template["Resources"]


def keeps_ready(template: Template) -> bool:
    """Say whether environments are kept ready, fixed or changing in number."""
    resources = template["Resources"]
    alias = resources.get("Alias", {}).get("Properties", {})
    return "ProvisionedConcurrencyConfig" in alias or "ProvisionedTarget" in resources
