"""Files: written whole or not at all, whoever is killed meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

UNDER_WAY = ".omnisim.tmp"
ABANDONED = 3600  # seconds after which nobody is writing to a temporary file any more


class Unwritable(OSError):
    """A place where nothing can be written: which, and why, in one line."""


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that stands under its name only once it is complete; raise Unwritable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNDER_WAY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise Unwritable(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
            _clear(path.parent)


def _clear(folder: Path) -> None:
    """Remove what writers who were killed have left behind.

    By age: a process number says nothing where machines or containers share a folder.
    """
    for left in folder.glob(f".*{UNDER_WAY}"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            left.unlink(missing_ok=True)
