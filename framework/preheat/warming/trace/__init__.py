"""Traces: arrivals read from files or made up, with what was done to them said."""
