"""Tests that share something slow to make run in one process, where the run has several."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    """xdist sends tests to processes by their id, to which it adds the group; pytest 9.2 drops that."""
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@together")
