"""A function as `preheat status` shows it: plain JSON, with no secret and no body of a request."""

from pathlib import Path
from typing import Any

from preheat_providers.local.supervisor.functions import Function


def status_document(function: Function) -> dict[str, Any]:
    """Return what `preheat.provider.protocol.Status` holds."""
    row, release, statistics = function.row, function.active, function.statistics
    members = function.traffic.members
    workers = [worker for running in members for worker in running.pool.snapshot()]
    for worker in workers:
        worker["rss_bytes"] = resident_bytes(worker["pid"])
    failures = [each.pool.failure.message for each in members if each.pool.failure is not None]
    zygotes = [
        {"release": running.release, "state": status.state, "reason": status.reason}
        for running in members
        for status in (running.starter.zygote,)
    ]
    return {
        "name": function.name,
        "provider": "local",
        "stage": function.stage,
        "release": release.number,
        "digest": release.digest,
        "endpoint": function.front.url,
        "ready": function.error is None and function.traffic.ready,
        "workers": len(workers),
        "requests": statistics.requests,
        "errors": statistics.errors,
        "cold_starts": statistics.cold_starts,
        "cold_ms_p50": statistics.cold_ms_p50,
        "warm_ms_p50": statistics.warm_ms(0.5),
        "warm_ms_p95": statistics.warm_ms(0.95),
        "details": {
            "error": function.error,
            "grpc": function.front.grpc.address,
            "failure": failures[0] if failures else None,
            "waiting": sum(running.pool.waiting for running in members),
            "workers": workers,
            "zygote": zygotes,
            "circuit_open": [running.release for running in members if running.guarded.circuit_open],
            "canary": {"release": row.canary, "share": row.canary_share} if row.canary else None,
        },
    }


def resident_bytes(pid: int | None) -> int | None:
    """Return the resident memory of a process, where /proc tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)
