"""What a snapshot of a handler would freeze that it should not: two copies of one setup, compared."""
