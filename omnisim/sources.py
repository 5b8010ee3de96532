"""Which sources the numbers come from: the model's version, and where its kernels lie compiled."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path

KERNELS = (
    *("streams", "people", "contacts"),
    *("journeys/books", "journeys/aimed", "journeys/orders", "journeys/walk", "journeys/day"),
)
MODEL = (
    *("spec/words", "spec/channels", "spec/people", "spec/market"),
    *("spec/textbook", "spec/strategy", "spec/question"),
    *("curves", *KERNELS, "records", "attribution", "paths", "allocation", "rollout"),
    *("geo", "incentives", "inference", "departments", "steering"),
    *(
        "simulation/crowd",
        "simulation/linking",
        "simulation/budgets",
        "simulation/halves",
        "simulation/ideas",
        "simulation/targets",
        "simulation/moves",
        "simulation/textbook",
        "simulation/population",
        "simulation/truth",
        "simulation/clock",
        "simulation/arms",
    ),
)
LIBRARIES = ("llvmlite", "mesa", "numba", "numpy", "scipy", "simpy")


def model_version() -> str:
    """Return a hash of every source that can change a number, and of what computes with it.

    The same bits are promised for one kind of machine and one set of libraries.
    """
    versions = [f"{name}-{metadata.version(name)}" for name in LIBRARIES]
    return _hash(MODEL, platform.machine(), platform.python_version(), *versions)


def kernel_folder() -> Path:
    """Return the folder of compiled kernels, keyed by the sources that they call.

    Numba looks at one file only when it decides whether a cached kernel is stale, so an
    edit in an imported kernel would go unnoticed without the hash.
    """
    return cache_folder() / "kernels" / f"{platform.python_version()}-{_hash(KERNELS)}"


def cache_folder() -> Path:
    """Return where is kept what can be made again at any time."""
    root = os.environ.get("OMNISIM_CACHE") or os.environ.get("XDG_CACHE_HOME")
    base = Path(root) if root else Path.home() / ".cache"
    return base / "omnisim"


def is_compiled() -> bool:
    """Tell whether the kernels lie compiled on this machine."""
    return any(kernel_folder().rglob("*.nbc"))


def _hash(names: tuple[str, ...], *others: str) -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256("\0".join(others).encode())
    for name in names:
        digest.update((here / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]
