"""Everything that ships in the bundle: it imports only the runtime and the interface."""
