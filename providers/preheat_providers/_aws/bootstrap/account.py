"""Applies the bootstrap stack to the account and region of a session: looks first, then one change set."""

from collections.abc import Mapping
from typing import Protocol

from preheat.errors import ProviderError
from preheat.progress import Report, Step
from preheat.provider.protocol import Bootstrapped, Groundwork
from preheat_providers._aws.bootstrap.document import ISSUER, document
from preheat_providers._aws.bootstrap.statements import NAME
from preheat_providers._aws.bootstrap.trust import subject_of
from preheat_providers._aws.errors import translated
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stack
from preheat_providers._aws.stacks.model import REMAINS

TAGS = {"preheat:bootstrap": "true"}
KEPT = (
    "Deleting the stack keeps the bucket, because functions may run from what lies in it, and GitHub's "
    "OIDC provider, which others may use."
)


class Applying(Protocol):
    """The part of `stacks.Stacks` that is used here."""

    def find(self, name: str) -> Stack | None:
        """Return the stack called `name`, or None."""
        ...

    def deploy(
        self,
        name: str,
        template: Mapping[str, object],
        *,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        report: Report,
    ) -> Stack:
        """Make it so; None as a parameter's value keeps the one before."""
        ...


def set_up(
    provider: str, groundwork: Groundwork, session: Session, stacks: Applying, *, report: Report
) -> Bootstrapped:
    """Create or update the bootstrap stack. Raises ProviderError."""
    subject = subject_of(groundwork)
    account = session.account()
    report(Step("apply", f"{NAME} in account {account.id}, {account.region}"))
    found = stacks.find(NAME)
    before = found if found is not None and found.status not in REMAINS else None
    if groundwork.bucket is not None:
        _check_usable(provider, session, groundwork.bucket)
    elif before is None:
        _check_free(provider, session)
    after = stacks.deploy(
        NAME,
        document(),
        parameters=_parameters(groundwork, subject, session, before),
        tags=TAGS,
        report=report,
    )
    return _done(provider, groundwork, session, before, after)


def _done(
    provider: str, groundwork: Groundwork, session: Session, before: Stack | None, after: Stack
) -> Bootstrapped:
    bucket, boundary = after.outputs["ArtifactBucket"], after.outputs["Boundary"]
    made = {"artifact bucket": bucket, "permission boundary": boundary}
    settings = {"region": session.region, "permissions_boundary": boundary}
    if bucket != default_name(session):
        settings["artifact_bucket"] = bucket
    if "DeployRole" in after.outputs:
        made["deploy role"] = after.outputs["DeployRole"]
        made["which may be taken by"] = after.parameters["GitHubSubject"]
    notes = [KEPT]
    if groundwork.repository is not None and after.parameters["GitHubSubject"].endswith(":*"):
        notes.append(
            f"Any workflow run of {groundwork.repository} may deploy; --environment NAME or --branch NAME "
            "narrows it."
        )
    return Bootstrapped(
        provider=provider,
        place=f"account {session.account().id}, {session.region}",
        changed=before is None or (before.template, before.parameters) != (after.template, after.parameters),
        made=made,
        settings=settings,
        notes=tuple(notes),
    )


def default_name(session: Session) -> str:
    """Return what the stack calls its bucket."""
    account = session.account()
    return f"preheat-{account.id}-{account.region}"


def _parameters(
    groundwork: Groundwork, subject: str | None, session: Session, before: Stack | None
) -> dict[str, str | None]:
    keep = None if before is not None else ""
    provider: str | None = keep
    if subject is not None and (before is None or not _makes_provider(before)):
        provider = _github_provider(session) or ""
    return {
        "ExistingBucket": groundwork.bucket if groundwork.bucket is not None else keep,
        "GitHubSubject": subject if subject is not None else keep,
        "GitHubProvider": provider,
    }


def _makes_provider(stack: Stack) -> bool:
    return bool(stack.parameters.get("GitHubSubject")) and not stack.parameters.get("GitHubProvider")


def _github_provider(session: Session) -> str | None:
    """Return the ARN of the account's OIDC provider for GitHub: an account can have only one."""
    client = session.client("iam")
    with translated("The account's identity providers cannot be listed"):
        found = client.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return next((each["Arn"] for each in found if each["Arn"].endswith(f"oidc-provider/{ISSUER}")), None)


def _check_usable(provider: str, session: Session, bucket: str) -> None:
    """Raise unless `bucket` is in this account and region."""
    client = session.client("s3")
    with translated(f"Bucket {bucket!r} cannot be used for archives"):
        answer = client.head_bucket(Bucket=bucket, ExpectedBucketOwner=session.account().id)
    region = answer.get("BucketRegion", session.region)
    if region != session.region:
        raise ProviderError(
            f"Bucket {bucket!r} is in {region}, and Lambda takes archives only from {session.region}.",
            hint=f"preheat bootstrap --provider {provider} --region {region} --use-bucket {bucket}",
        )


def _check_free(provider: str, session: Session) -> None:
    """Raise if the bucket that the stack would make exists already."""
    from botocore.exceptions import ClientError

    name = default_name(session)
    try:
        session.client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            raise ProviderError(
                f"The bucket name {name!r} is taken, by an account that does not let this one see it.",
                hint=f"preheat bootstrap --provider {provider} --use-bucket NAME-OF-YOURS",
            ) from error
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            with translated(f"S3 does not say whether the bucket {name!r} exists"):
                raise
        return
    raise ProviderError(
        f"The bucket {name!r} exists already in this account, perhaps from a bootstrap that was deleted: "
        "deleting it keeps the bucket.",
        hint=f"preheat bootstrap --provider {provider} --use-bucket {name}",
    )
