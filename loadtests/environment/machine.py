"""Facts about this machine and what runs on it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import psutil

from loadtests.environment.resources import own_cpu_quota_cores

CGROUP = Path("/sys/fs/cgroup")
MEASURED_PACKAGES = (
    "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "anyio", "pydantic", "pydantic-core",
    "sqlalchemy", "greenlet", "pymysql", "aiomysql", "asyncmy", "mysqlclient", "cryptography",
    "locust", "gevent", "geventhttpclient", "numpy", "scipy", "pandas", "pyarrow", "matplotlib",
)  # fmt: skip


def usable_cores() -> list[int]:
    """The CPUs (hardware threads of cores) this process may run on, by the system's numbers; empty
    where it cannot pin (macOS)."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def host_facts() -> dict[str, Any]:
    """What a reader needs to judge a result from this machine; None where it cannot be known."""
    memory = psutil.virtual_memory()
    return {
        "os": _os_name(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu": _cpu_info("model name") or platform.processor() or None,
        "cores": os.cpu_count(),
        "cores_physical": psutil.cpu_count(logical=False),
        "cores_usable": len(usable_cores()) or os.cpu_count(),
        "cpu_quota_cores": own_cpu_quota_cores(),
        "cpu_governor": _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "memory_mb": round(memory.total / 2**20),
        "memory_available_mb": round(available_memory_mb()),
        "load_1min": round(os.getloadavg()[0], 2),
        "virtual": _virtual(),
        "container": _in_container(),
        "python": python_facts(),
    }


def python_facts() -> dict[str, Any]:
    """Which interpreter this is: version, build, and whether it has a global lock."""
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "build": " ".join(platform.python_build()),
        "compiler": platform.python_compiler(),
        "gil": locked,
        "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    }


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that a measurement depends on."""
    versions = {}
    for name in MEASURED_PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def git_commit(folder: Path) -> dict[str, Any]:
    """`{"sha", "dirty"}` of the checkout `folder` is in; both None when there is none."""
    sha = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain") if sha else None
    return {"sha": sha, "dirty": None if changes is None else bool(changes)}


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, check=True, timeout=30, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def available_memory_mb() -> float:
    """Memory that can still be used without swapping, the container's own limit included."""
    available = float(psutil.virtual_memory().available)
    for limit_file, usage_file in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, usage = _number(CGROUP / limit_file), _number(CGROUP / usage_file)
        if limit is not None and usage is not None:
            available = min(available, limit - usage)
    return max(0.0, available / 2**20)


def file_system(folder: Path) -> str | None:
    """Type of the file system `folder` is on, such as `ext4` or `tmpfs`."""
    mounts = [
        (Path(part.mountpoint), part.fstype)
        for part in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(part.mountpoint)
    ]
    return max(mounts, key=lambda mount: len(mount[0].parts))[1] if mounts else None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _cpu_info(key: str) -> str | None:
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _virtual() -> str | None:
    """What virtualises this machine, as far as it says so; None when nothing seems to."""
    vendor = _read(Path("/sys/class/dmi/id/sys_vendor"))
    if "hypervisor" in (_cpu_info("flags") or "").split():
        return vendor or "virtual machine"
    return None


def _in_container() -> bool:
    marks = ("/.dockerenv", "/run/.containerenv")
    return any(Path(mark).exists() for mark in marks) or "container" in os.environ


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text is not None and text.isdigit() else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
