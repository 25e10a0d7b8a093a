"""A serverless runtime on this machine: scale from zero, triggers, jobs and releases."""
