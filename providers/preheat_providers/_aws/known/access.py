"""Who asks, and what they may do.

How AWS words a denial: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
(read on 2026-11-21).
"""

from preheat_providers._aws.known.model import Known

DENIED = (
    r"(?:User: (?P<who>\S+) is )?not authorized to perform: (?P<action>[\w:*-]+)"
    r'(?: on resource: "?(?P<resource>(?:(?:role|policy|user|instance profile) )?[^"\s,]+))?'
)
SIGN_IN = "aws sso login  # or `aws configure`, or export AWS_PROFILE=... of a profile that has credentials"

ACCESS = (
    Known(
        name="no credentials",
        codes=frozenset(("NoCredentialsError", "MissingAuthenticationToken")),
        pattern=r"Unable to locate credentials",
        why="No AWS credentials were found in the environment, in the profile or on this machine.",
        hint=SIGN_IN,
    ),
    Known(
        name="half of the credentials",
        codes=frozenset(("PartialCredentialsError",)),
        pattern=r"Partial credentials found",
        why="An access key needs both halves, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        hint="export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...  # or unset both, to use a profile",
    ),
    Known(
        name="unknown profile",
        pattern=r"The config profile \((?P<profile>[^)]*)\) could not be found",
        why="The AWS configuration has no profile {profile}.",
        hint="aws configure list-profiles  # then export AWS_PROFILE=... with one of them",
    ),
    Known(
        name="sign-in expired",
        codes=frozenset(("UnauthorizedSSOTokenError", "SSOTokenLoadError", "TokenRetrievalError")),
        pattern=r"SSO session associated with this profile has expired|Error loading SSO Token"
        r"|Token has expired and refresh failed",
        why="The sign-in of this profile has ended.",
        hint="aws sso login",
    ),
    Known(
        name="credentials not given",
        codes=frozenset(("CredentialRetrievalError", "MetadataRetrievalError")),
        pattern=r"Error when retrieving credentials from",
        why="What the profile takes its credentials from has refused them.",
        hint="aws sts get-caller-identity  # with the same AWS_PROFILE: it says why",
    ),
    Known(
        name="expired token",
        codes=frozenset(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired")),
        pattern=r"security token included in the request is expired|provided token has expired",
        why="The temporary credentials have expired.",
        hint="aws sso login  # or export fresh AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
    ),
    Known(
        name="wrong clock",
        codes=frozenset(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture")),
        pattern=r"Signature (?:expired|not yet current)|time and the current time is too large",
        why="This machine's clock differs from that of AWS.",
        hint="sudo timedatectl set-ntp true",
    ),
    Known(
        name="unknown access key",
        codes=frozenset(("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")),
        pattern=r"security token included in the request is invalid",
        why="AWS does not know this access key, or the account has not enabled this region.",
        hint="aws sts get-caller-identity --region us-east-1"
        "  # if this works, enable the region; if not, make another key",
    ),
    Known(
        name="wrong secret key",
        codes=frozenset(("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature")),
        pattern=r"request signature we calculated does not match",
        why="The secret key does not belong to the access key.",
        hint="export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...  # both of one key",
    ),
    Known(
        name="service not enabled",
        codes=frozenset(("OptInRequired", "SubscriptionRequiredException")),
        pattern=r"not subscribed to this service|needs a subscription for the service",
        why="The account is not fully activated, or has not enabled this region.",
        hint="aws account enable-region --region-name REGION  # a new account takes up to a day",
    ),
    Known(
        name="role not to be passed",
        pattern=r"not authorized to perform: iam:PassRole"
        r'(?: on resource: "?(?P<resource>(?:role )?[^"\s,]+))?',
        why="Whoever deploys may not hand the role {resource} to the service that needs it.",
        hint="allow iam:PassRole on {resource}, with the condition iam:PassedToService, to whoever deploys",
    ),
    Known(
        name="denied by the organisation",
        pattern=DENIED + r".{0,300}(?:explicit deny in a service control policy|"
        r"no service control policy allows|explicit deny in a resource control policy)",
        why="A policy of the organisation forbids {action}; no policy of this account can allow it.",
        hint="ask who runs the AWS organisation to except {action} on {resource}, or use another region",
    ),
    Known(
        name="denied by a boundary",
        pattern=DENIED + r".{0,300}permissions boundary",
        why="The permissions boundary of {who} leaves out {action}.",
        hint="add {action} on {resource} to the boundary, beside the policy that allows it",
    ),
    Known(
        name="key not to be used",
        codes=frozenset(("KMSAccessDeniedException", "KMSDisabledException", "KMSNotFoundException")),
        pattern=r"not authorized to perform: kms:\w+|KMS access was denied|KMS key is (?:invalid|disabled)"
        r"|ciphertext refers to a customer master key that does not exist",
        why="The KMS key that encrypts this may not be used, is disabled or is gone.",
        hint="allow kms:Decrypt and kms:GenerateDataKey in the key's policy to whoever deploys and to the"
        " function's role, or take a key that is enabled",
    ),
    Known(
        name="role not to be assumed",
        pattern=r"not authorized to perform: sts:AssumeRole\w*"
        r'(?: on resource: "?(?P<resource>[^"\s,]+))?',
        why="The trust policy of {resource} does not name whoever asks.",
        hint="add the identity of `aws sts get-caller-identity` to the trust policy of {resource}",
    ),
    Known(
        name="forbidden outright",
        pattern=DENIED + r".{0,300}explicit deny",
        why="A policy denies {action} to {who}; a Deny beats every Allow.",
        hint="take {action} on {resource} out of the policy that denies it",
    ),
    Known(
        name="not allowed",
        pattern=DENIED,
        why="Whoever deploys lacks the permission {action}.",
        hint="allow {action} on {resource} to {who}",
    ),
    Known(
        name="tags not allowed",
        codes=frozenset(("UnauthorizedTaggingOperation",)),
        pattern=r"Did not have IAM permissions to process tags on (?P<type>\S+) resource",
        why="Whoever deploys may make the resource, but not tag it, and a stack's resources carry its tags.",
        hint="allow the TagResource and UntagResource actions of the service to whoever deploys",
    ),
    Known(
        name="role cannot be assumed yet",
        pattern=r"role defined for the function cannot be assumed by Lambda"
        r"|must allow AWS EventBridge Scheduler to assume the role",
        why="A role takes some seconds until every service knows it; or its trust policy lacks the service.",
        hint="The same command again.",
    ),
    Known(
        name="role without rights to the source",
        pattern=r"execution role does not have permissions to call (?P<call>\w+) on (?P<service>\w+)",
        why="The function's role may not {call} from {service}; a role takes some seconds to be known.",
        hint="The same command again; if the queue is encrypted, allow kms:Decrypt to the role.",
    ),
    Known(
        name="denied without details",
        codes=frozenset(
            ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "403")
        ),
        why="Whoever asks may not do this.",
        hint="aws sts get-caller-identity  # is this who should deploy? then allow it what is named above",
    ),
)
