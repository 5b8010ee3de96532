"""Files: finished replications that are kept, and the results folder of one answer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from omnisim.dictionary import dictionary_csv
from omnisim.experiment import Answer
from omnisim.files import Unwritable, whole
from omnisim.records import Records
from omnisim.spec import ExperimentSpec

FORMAT = 1
LEDGER = "ledger"
PACKAGES = (
    "omnisim",
    "hydra-core",
    "joblib",
    "llvmlite",
    "mesa",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "simpy",
)
_log = logging.getLogger(__name__)


def writable(folder: Path) -> None:
    """Raise Unwritable unless files can be made in the folder; create nothing."""
    place = Path(os.path.abspath(folder))
    while not os.path.lexists(place):
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise Unwritable(f"cannot write to {folder}: {error.strerror} ({place})") from error


def default_folder() -> Path:
    """Return where finished replications are kept unless somebody says otherwise.

    Absolute, as workers may have been started in another folder.
    """
    return Path(os.environ.get("OMNISIM_STORE") or Path("results") / ".store").absolute()


@dataclass(frozen=True)
class Store:
    """Finished replications: one file per arm and replication, whatever question asked.

    `model` is the version of the sources that determine numbers.
    """

    folder: Path
    model: str

    def get(self, spec: ExperimentSpec, arm: str, replication: int) -> Records | None:
        """Return the kept records, None if there are none; set a damaged file aside."""
        asked = self._asked(spec, arm, replication)
        path = self._path(asked)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            frames = _unpack(content, asked)
        except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
            aside = path.with_name(f"{path.name}.damaged")
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, aside)
            reason = (str(error).splitlines() or [""])[0]
            _log.warning("damaged, set aside and computed again: %s (%s)", aside, reason)
            return None
        return Records(arm=arm, replication=replication, **frames)

    def put(self, spec: ExperimentSpec, records: Records) -> None:
        """Keep the records: the whole file or none."""
        asked = self._asked(spec, records.arm, records.replication)
        _write(self._path(asked), _pack(records, asked))

    def _path(self, asked: str) -> Path:
        return self.folder / f"{_hash(asked)}.parquet"

    def _asked(self, spec: ExperimentSpec, arm: str, replication: int) -> str:
        """Return all that determines the numbers, and nothing else."""
        return _canonical(
            spec.determining()
            | {
                "format": FORMAT,
                "model": self.model,
                "strategy": spec.arms[arm].model_dump(mode="json"),
                "replication": replication,
                "truth": spec.truth_of(arm, replication),
            }
        )


def write_results(
    folder: Path,
    answer: Answer,
    *,
    command: str,
    model: str,
    elapsed_seconds: float,
    language: str = "en",
) -> None:
    """Write the data of the results folder, each file whole or not at all.

    `command` is what makes it all again, `language` the one in which it is told.
    """
    plan = answer.spec.model_dump(mode="json")
    ledgers = weekly(answer.records)
    texts = {
        "spec.yaml": yaml.safe_dump(plan, sort_keys=False, allow_unicode=True),
        "summary.json": _json(_summary(answer, elapsed_seconds)),
        "measures.csv": measures_csv(answer.measures),
        "provenance.json": _json(_provenance(answer.spec, command, model, language)),
        "dictionary.csv": dictionary_csv(ledgers.column_names, answer.tables),
    }
    texts |= {f"{name}.csv": measures_csv(table) for name, table in answer.tables.items()}
    _write(folder / "weekly.parquet", _parquet(ledgers))
    for name, text in texts.items():
        _write(folder / name, text.encode())


def weekly(records: Iterable[Records]) -> pa.Table:
    """Return the weekly ledgers of all arms and replications, one under the other."""
    tables = []
    for book in records:
        frame = book.weekly.reset_index(drop=True)
        frame.insert(0, "arm", book.arm)
        frame.insert(1, "replication", book.replication)
        tables.append(pa.Table.from_pandas(frame, preserve_index=False))
    return pa.concat_tables(tables, promote_options="permissive")


def measures_csv(measures: pd.DataFrame) -> str:
    """Return the measures as text: full precision, an empty field for an empty ratio."""
    return measures.to_csv(index=False, lineterminator="\n")


def _summary(answer: Answer, elapsed_seconds: float) -> dict[str, Any]:
    spec, comparison = answer.spec, answer.comparison
    arms: dict[str, dict[str, Any]] = {arm: {} for arm in comparison.arms}
    for level in comparison.levels:
        arms[level.arm][level.outcome] = {
            "mean": level.mean,
            "ci_low": level.ci_low,
            "ci_high": level.ci_high,
        }
    return {
        "experiment": spec.experiment,
        "question": spec.question,
        "hypothesis": spec.hypothesis,
        "decision_rule": spec.decision_rule,
        "expectation": spec.expectation,
        "verdict": comparison.verdict,
        "seed": spec.seed,
        "replications": comparison.replications,
        "baseline": comparison.baseline,
        "primary": comparison.primary,
        "arms": arms,
        "comparisons": [asdict(row) for row in comparison.rows],
        "interactions": [asdict(row) for row in comparison.interactions],
        "gaps": [asdict(gap) for gap in answer.gaps],
        "marginal_cpo": [asdict(euro) for euro in answer.last_euros],
        "page_one": answer.page_one,
        "elapsed_seconds": round(elapsed_seconds, 3),
        "from_cache": answer.from_store,
    }


def _provenance(spec: ExperimentSpec, command: str, model: str, language: str) -> dict[str, Any]:
    return {
        "command": command,
        "language": language,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": spec.seed,
        "spec_hash": _hash(_canonical(spec.model_dump(mode="json"))),
        "model": model,
        "commit": _commit(),
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _commit() -> str | None:
    """Return the commit of the checkout that these sources are part of, if they are."""
    here = Path(__file__)
    git = ["git", "-C", str(here.parent)]
    # a copy installed below somebody else's checkout is not part of it
    tracked = _output([*git, "ls-files", "--error-unmatch", here.name])
    commit = _output([*git, "rev-parse", "HEAD"]) if tracked else None
    changed = _output([*git, "status", "--porcelain", "--untracked-files=no"]) if commit else None
    return f"{commit} with changes" if changed else commit


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _pack(records: Records, asked: str) -> bytes:
    frames = records.frames
    tables = [
        pa.Table.from_pandas(frame.assign(**{LEDGER: name}), preserve_index=False)
        for name, frame in frames.items()
    ]
    about = {
        "asked": json.loads(asked),
        "columns": {name: list(frame.columns) for name, frame in frames.items()},
        "digest": _digest(frames),
    }
    table = pa.concat_tables(
        [table.replace_schema_metadata() for table in tables], promote_options="permissive"
    )
    return _parquet(table.replace_schema_metadata({"omnisim": _canonical(about)}))


def _unpack(content: bytes, asked: str) -> dict[str, pd.DataFrame]:
    table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    about = json.loads((table.schema.metadata or {})[b"omnisim"])
    if _canonical(about["asked"]) != asked:
        raise ValueError("it answers another question")
    frames = {
        name: table.filter(pc.equal(table[LEDGER], name)).select(columns).to_pandas()
        for name, columns in about["columns"].items()
    }
    if _digest(frames) != about["digest"]:
        raise ValueError("its content does not fit its checksum")
    return frames


def _digest(frames: Mapping[str, pd.DataFrame]) -> str:
    digest = hashlib.sha256()
    for _, frame in sorted(frames.items()):
        digest.update(repr(list(frame.columns)).encode())
        for _, column in frame.items():
            if pd.api.types.is_numeric_dtype(column.dtype):
                digest.update(column.to_numpy().tobytes())
            else:
                digest.update("\0".join(column.astype(str)).encode())
    return digest.hexdigest()


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _write(path: Path, content: bytes) -> None:
    with whole(path) as file:
        file.write(content)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _json(value: object) -> str:
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
