"""Everything that ships in the image: it imports only the runtime and the interface."""
