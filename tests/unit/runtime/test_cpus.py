import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from preheat.interface.threads import THREAD_COUNTS
from preheat.runtime.cpus import cgroup_quota, cpu_share, set_threads, threads_of

V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
V1 = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct"
UNLIMITED = float("inf")


def fake_root(root: Path, *, cgroup: str, mounts: str, files: Mapping[str, str]) -> Path:
    """Lay the files of proc and sys of a machine whose cgroup folder holds `files`."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(cgroup + "\n")
    (root / "proc" / "self" / "mountinfo").write_text(f"1 0 8:1 / / rw - ext4 /dev/vda rw\n{mounts}\n")
    for name, text in files.items():
        path = root / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def test_the_tightest_quota_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {"cpu.max": "max 100000", "a/cpu.max": "150000 100000", "a/b/cpu.max": "400000 100000"}
    root = fake_root(tmp_path, cgroup="0::/a/b", mounts=V2, files=files)
    assert cgroup_quota(root) == 1.5


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    root = fake_root(tmp_path, cgroup="0::/", mounts=V2, files={"cpu.max": "50000 100000"})
    assert cgroup_quota(root) == 0.5


def test_max_is_no_quota(tmp_path: Path) -> None:
    root = fake_root(tmp_path, cgroup="0::/a", mounts=V2, files={"a/cpu.max": "max 100000"})
    assert cgroup_quota(root) == UNLIMITED


@pytest.mark.parametrize(("quota", "share"), [("200000", 2.0), ("-1", UNLIMITED)])
def test_a_quota_of_the_first_version_counts(tmp_path: Path, quota: str, share: float) -> None:
    files = {"cpu/a/cpu.cfs_quota_us": quota, "cpu/a/cpu.cfs_period_us": "100000"}
    root = fake_root(tmp_path, cgroup="4:cpuacct,cpu:/a\n0::/", mounts=V1, files=files)
    assert cgroup_quota(root) == share


def test_a_mount_that_shows_the_groups_of_a_container_only_is_read_from_there(tmp_path: Path) -> None:
    mount = V1.replace(" / /sys", " /docker/abc /sys")
    files = {
        "cpu/cpu.cfs_quota_us": "300000",
        "cpu/cpu.cfs_period_us": "100000",
        "cpu/inner/cpu.cfs_quota_us": "100000",
        "cpu/inner/cpu.cfs_period_us": "100000",
    }
    root = fake_root(tmp_path, cgroup="1:cpu:/docker/abc/inner", mounts=mount, files=files)
    assert cgroup_quota(root) == 1.0


def test_a_path_that_the_mount_does_not_show_means_the_mount_itself(tmp_path: Path) -> None:
    files = {"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}
    mount = V1.replace(" / /sys", " /docker/abc /sys")
    root = fake_root(tmp_path, cgroup="1:cpu:/elsewhere", mounts=mount, files=files)
    assert cgroup_quota(root) == 3.0


def test_both_versions_side_by_side_are_both_read(tmp_path: Path) -> None:
    unified = V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    files = {
        "unified/cpu.max": "200000 100000",
        "cpu/cpu.cfs_quota_us": "100000",
        "cpu/cpu.cfs_period_us": "100000",
    }
    root = fake_root(tmp_path, cgroup="1:cpu:/\n0::/", mounts=f"{V1}\n{unified}", files=files)
    assert cgroup_quota(root) == 1.0


def test_without_cgroups_there_is_no_quota(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path) == UNLIMITED


def test_the_affinity_bounds_the_share(tmp_path: Path) -> None:
    here = len(os.sched_getaffinity(0))
    assert cpu_share(tmp_path) == here
    root = fake_root(tmp_path, cgroup="0::/", mounts=V2, files={"cpu.max": "10000000 100000"})
    assert cpu_share(root) == min(here, 100.0)


@pytest.mark.parametrize(
    ("share", "workers", "threads"), [(8.0, 2, 4), (8.0, 3, 2), (0.5, 1, 1), (2.0, 4, 1), (1.9, 1, 1)]
)
def test_workers_divide_the_processors(share: float, workers: int, threads: int) -> None:
    assert threads_of(share, workers) == threads


def test_thread_counts_are_set_unless_the_user_has_set_them() -> None:
    environ = {"OMP_NUM_THREADS": "9", "HOME": "/"}
    set_threads(environ, 2)
    assert environ["OMP_NUM_THREADS"] == "9"
    assert {environ[name] for name in THREAD_COUNTS if name != "OMP_NUM_THREADS"} == {"2"}
    assert environ["TOKENIZERS_PARALLELISM"] == "true"
    single: dict[str, str] = {}
    set_threads(single, 1)
    assert single["TOKENIZERS_PARALLELISM"] == "false"
