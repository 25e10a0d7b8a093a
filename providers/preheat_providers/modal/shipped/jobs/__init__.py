"""/jobs over Modal: a call that is spawned runs the job and holds its answer; a Dict has its record. Ships.

`records` and `queue` know nothing of Modal; `platform` is the only module here that imports it.
"""
