"""Snapshots: a world on the morning of any day as one file, from which it goes on to the bit."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from omnisim.files import whole
from omnisim.simulation.clock import Appointment, Simulation
from omnisim.sources import model_version
from omnisim.spec import ExperimentSpec, Strategy

FORMAT = 1
ABOUT = "about"
Arrays = dict[str, np.ndarray]
# What the readers of archives, arrays and words raise on bytes that are not theirs.
DAMAGES = (
    *(OSError, EOFError, LookupError, RuntimeError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)


class SnapshotError(ValueError):
    """A file from which this world cannot go on: which, and why, in one line."""


def save(simulation: Simulation, path: Path) -> None:
    """Write the whole world to a file, waiting appointments included; raise Unwritable."""
    arrays: Arrays = {"change": simulation.change}
    about = {
        "model": _model(),
        "world": simulation.spec.determining(),
        "replication": simulation.replication,
        "rules": [repr(rule) for rule in simulation.rules],
        "strategy": simulation.strategy.model_dump(mode="json"),
        "state": _told(simulation.state, "state", arrays),
    }
    arrays[ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with whole(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load(path: Path, spec: ExperimentSpec) -> Simulation:
    """Return the world of a file, under the strategy that it had; raise SnapshotError.

    `spec` must ask about the same world; its arms may be others.
    """
    about, arrays = _read(path)
    if about["model"] != _model():
        raise SnapshotError(f"{path} was written by another version of the model")
    world = json.loads(json.dumps(spec.determining()))
    others = sorted(key for key in world if world[key] != about["world"][key])
    if others:
        raise SnapshotError(f"{path} is of another world, with another {' and '.join(others)}")
    simulation = Simulation(spec, about["replication"])
    if about["rules"] != [repr(rule) for rule in simulation.rules]:
        raise SnapshotError(f"{path} has not credited its weeks by the attribution of these arms")
    simulation.state = _built(simulation.state, "state", about["state"], arrays)
    simulation.state.agenda = [Appointment(**entry) for entry in about["state"]["agenda"]]
    simulation.resume(Strategy.model_validate(about["strategy"]), arrays["change"])
    return simulation


def _model() -> str:
    return f"{FORMAT}-{model_version()}"


def _told(value: Any, path: str, arrays: Arrays) -> Any:
    """Return a value as plain words and put its arrays, weeks of a book as one, aside."""
    if is_dataclass(value):
        return {
            field.name: _told(getattr(value, field.name), f"{path}.{field.name}", arrays)
            for field in fields(value)
        }
    if isinstance(value, np.ndarray):
        arrays[path] = value
    elif isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        arrays[path] = np.stack(value)
    elif isinstance(value, list):
        return [_told(entry, path, arrays) for entry in value]
    else:
        return value
    return None


def _built(pattern: Any, path: str, told: Any, arrays: Arrays) -> Any:
    """Return what `_told` was given; `pattern` has its types.

    A record array comes back from a file without its alignment, by which compiled code
    knows it.
    """
    if is_dataclass(pattern) and not isinstance(pattern, type):
        parts = {
            name: _built(getattr(pattern, name), f"{path}.{name}", part, arrays)
            for name, part in told.items()
        }
        return replace(pattern, **parts)
    if isinstance(pattern, np.ndarray):
        return arrays[path].view(pattern.dtype, type(pattern))
    return list(arrays[path]) if path in arrays else told


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Return the words and arrays of a file after every checksum in it was found right."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"checksum of {damaged}")
        with np.load(path, allow_pickle=False) as archive:
            arrays: Arrays = dict(archive)
        return json.loads(arrays.pop(ABOUT).tobytes()), arrays
    except FileNotFoundError:
        raise SnapshotError(f"there is no snapshot {path}") from None
    except DAMAGES as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SnapshotError(f"{path} is damaged or no snapshot ({reason})") from error
