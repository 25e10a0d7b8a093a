"""What a deployed template is made of, read back by those who operate the function. Pure."""

from preheat_providers._aws.templates.anatomy import QUEUE, Template, of_kind

FAILED_CALLS = "FailedCalls"
"""The logical id of the queue of asynchronous calls that failed for good."""


def code_key(template: Template) -> str:
    """Return where the code lies that the stack gives the function, as `Described` has it."""
    code = template["Resources"]["Function"]["Properties"]["Code"]
    key: str = code["ImageUri"]["Fn::Sub"].partition("/")[2] if "ImageUri" in code else code["S3Key"]
    return key


def is_image(template: Template) -> bool:
    """Say whether the function is a container image."""
    return "ImageUri" in template["Resources"]["Function"]["Properties"]["Code"]


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
