"""What a user writes against: the handler class, its types, and the contract they make."""
