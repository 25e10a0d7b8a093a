"""What Lambda imports: leaves `handler` for the events that follow. Ships."""

import gc
import os

RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
"""Set wherever Lambda, or its emulator, runs a function; elsewhere nobody would call the handler."""

if RUNTIME_API in os.environ:
    # What a start allocates stays, so that looking through it is lost time; `start` enables it again.
    gc.disable()
    from preheat_providers.aws_lambda.shipped.start import start

    handler = start(os.environ)
