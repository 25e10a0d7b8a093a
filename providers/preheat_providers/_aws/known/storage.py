"""Buckets and what lies in them."""

from preheat_providers._aws.known.model import Known

STORAGE = (
    Known(
        name="bucket is yours already",
        codes=frozenset(("BucketAlreadyOwnedByYou",)),
        pattern=r"your previous request to create the named bucket succeeded and you already own it",
        why="This account has that bucket already, made by hand or by another stack.",
        hint="use it under another name in preheat.toml, or delete it: aws s3 rb s3://BUCKET",
    ),
    Known(
        name="bucket is another's",
        codes=frozenset(("BucketAlreadyExists",)),
        pattern=r"requested bucket name is not available",
        why="A bucket's name is unique in all of AWS, and another account has this one.",
        hint='artifact_bucket = "another-name"  # in the table of the provider',
    ),
    Known(
        name="no such bucket",
        codes=frozenset(("NoSuchBucket",)),
        pattern=r"specified bucket does not exist|S3 Error Code: NoSuchBucket",
        why="The bucket does not exist in this account.",
        hint='preheat bootstrap --provider lambda  # makes it; or artifact_bucket = "..." in preheat.toml',
    ),
    Known(
        name="bucket in another region",
        codes=frozenset(
            ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
        ),
        pattern=r"S3 Error Code: PermanentRedirect|bucket is in this region|must be addressed using the"
        r" specified endpoint|location constraint is incompatible|the region '[^']*' is wrong",
        why="The bucket is in another region; a function's code must lie in the function's own.",
        hint='export AWS_REGION=...  # of the bucket; or artifact_bucket = "..." of this region',
    ),
    Known(
        name="archive is gone",
        codes=frozenset(("NoSuchKey",)),
        pattern=r"S3 Error Code: NoSuchKey|specified key does not exist",
        why="The archive that the stack names is no longer in the bucket.",
        hint="Deploy again, which sends what is missing. An old release whose archive is gone stays gone.",
    ),
    Known(
        name="bucket not empty",
        codes=frozenset(("BucketNotEmpty",)),
        pattern=r"bucket you tried to delete is not empty",
        why="AWS deletes no bucket that holds objects, old versions of them included.",
        hint="aws s3 rm --recursive s3://BUCKET  # the one named above; then destroy once more",
    ),
    Known(
        name="notifications overlap",
        pattern=r"Configuration is ambiguously defined|Configurations overlap",
        why="Another notification of the bucket takes the same events of overlapping prefixes or suffixes.",
        hint="aws s3api get-bucket-notification-configuration --bucket BUCKET  # shows it; choose another"
        " prefix, or let the bucket send its events to EventBridge, which takes any number of rules",
    ),
    Known(
        name="notification without leave",
        pattern=r"Unable to validate the following destination configurations",
        why="S3 may not send to the queue or function that the bucket's notifications name.",
        hint="aws s3api get-bucket-notification-configuration --bucket BUCKET  # one of these is gone, or"
        " its policy does not allow s3.amazonaws.com",
    ),
)
