"""Chooses how workers are kept warm: a trace of arrivals, replayed under what a platform offers."""
