"""What a deploy would change, as immutable data with several readers."""
