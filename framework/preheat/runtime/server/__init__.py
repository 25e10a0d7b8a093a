"""A process that serves HTTP: what runs in every container, and the gateway of the local provider."""
