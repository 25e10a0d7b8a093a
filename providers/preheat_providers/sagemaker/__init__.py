"""Amazon SageMaker: endpoints on machines of their own, with queues in front and none at all when idle."""
