"""The process behind the local provider: endpoints, workers, releases, jobs and triggers of one home."""
