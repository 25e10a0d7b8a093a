"""The client of image registries: the HTTP API of version 2, as much of it as building and pushing needs."""
