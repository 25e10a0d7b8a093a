"""A bundle as an OCI image, made in Python: no container engine, no daemon, no root."""
