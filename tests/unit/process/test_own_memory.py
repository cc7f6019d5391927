"""What the receiver knows of its own memory: read from files as the kernel writes them, in both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.process.own_memory import OwnMemory, read

MIB = 1 << 20


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_at_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write(tmp_path / "proc", status="Name:\tpython3\nVmRSS:\t   51200 kB\n")
    return tmp_path / "proc"


def group(tmp_path: Path, folder: str, **files: str) -> Path:
    root = tmp_path / "cgroup"
    for name, text in files.items():
        path = root / folder / name.replace("_in_bytes", "@").replace("_", ".").replace("@", "_in_bytes")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_pod_of_today(tmp_path: Path, proc: Path) -> None:
    """Version 2, in a namespace of its own: the group is the top. Page cache that nobody uses is not counted."""
    (proc / "cgroup").write_text("0::/\n")
    root = group(
        tmp_path, "", memory_current=f"{100 * MIB}\n", memory_max=f"{128 * MIB}\n", memory_stat=f"anon 1\ninactive_file {30 * MIB}\n"
    )

    assert read(proc, root) == OwnMemory(working_set_bytes=70 * MIB, limit_bytes=128 * MIB)


def test_a_service_of_systemd_without_a_limit(tmp_path: Path, proc: Path) -> None:
    (proc / "cgroup").write_text("0::/system.slice/oomtriage.service\n")
    root = group(tmp_path, "system.slice/oomtriage.service", memory_current="5000\n", memory_max="max\n", memory_stat="inactive_file 0\n")

    assert read(proc, root) == OwnMemory(working_set_bytes=5000, limit_bytes=0)


def test_an_older_node(tmp_path: Path, proc: Path) -> None:
    """Version 1 shows the path of the host and mounts the container's group at the top; without a limit it writes a huge number."""
    (proc / "cgroup").write_text("4:memory:/kubepods/burstable/pod1/abc\n1:cpu,cpuacct:/kubepods\n")
    root = group(
        tmp_path,
        "memory",
        memory_usage_in_bytes="9000\n",
        memory_limit_in_bytes="9223372036854771712\n",
        memory_stat="total_inactive_file 1000\n",
    )

    assert read(proc, root) == OwnMemory(working_set_bytes=8000, limit_bytes=0)


def test_a_laptop(tmp_path: Path, proc: Path) -> None:
    """No group that counts memory: of the process alone."""
    (proc / "cgroup").write_text("0::/\n")

    assert read(proc, tmp_path / "cgroup") == OwnMemory(working_set_bytes=50 * MIB)


@pytest.mark.parametrize("text", ["", "nonsense", "0::/\n\n"])
def test_what_cannot_be_read_stops_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path / "proc", cgroup=text)

    assert read(tmp_path / "proc", tmp_path / "cgroup").working_set_bytes == 0
