"""What the deploy role may do for images in ECR, of functions and of endpoints. Pure."""

from preheat_providers._aws.bootstrap.statements import Statement, allow, here

CHANGES = (
    "CreateRepository",
    "DeleteLifecyclePolicy",
    "DeleteRepository",
    "DeleteRepositoryPolicy",
    "PutImageScanningConfiguration",
    "PutImageTagMutability",
    "PutLifecyclePolicy",
    "SetRepositoryPolicy",
    "TagResource",
    "UntagResource",
)
READS = (
    "BatchGetImage",
    "DescribeRepositories",
    "GetDownloadUrlForLayer",
    "GetLifecyclePolicy",
    "GetRepositoryPolicy",
    "ListImages",
    "ListTagsForResource",
)
PUSHES = (
    "BatchCheckLayerAvailability",
    "BatchDeleteImage",
    "CompleteLayerUpload",
    "InitiateLayerUpload",
    "PutImage",
    "UploadLayerPart",
)


def statements() -> tuple[Statement, ...]:
    """Return all of them."""
    return (
        allow("Images", "ecr", [*CHANGES, *READS, *PUSHES], [here("ecr", "repository/preheat/*")]),
        # A login is one for every repository of the registry.
        allow("Registry", "ecr", ["GetAuthorizationToken"], ["*"]),
    )
