"""What a plan says beside its changes. Pure."""

MB = 1_000_000
"""As the progress of a push counts."""


def push_remark(image_bytes: int, missing_bytes: int) -> str:
    """Return how large an image is while it is packed, and how much of it the repository lacks."""
    whole = f"The image has {image_bytes / MB:,.1f} MB packed"
    if missing_bytes == 0:
        return f"{whole}, all of which is in ECR."
    return f"{whole}; ECR lacks {missing_bytes:,} bytes of it, which a deploy sends."
