"""The bundle: what draws charts in a browser, out of an installed package."""

from __future__ import annotations

import contextlib
from importlib import metadata

import vl_convert

from omnisim.files import Unwritable, whole
from omnisim.sources import cache_folder


def javascript() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; made once, as it takes seconds."""
    path = cache_folder() / f"vega-{metadata.version('vl-convert-python')}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        kept = path.read_text(encoding="utf-8")
        if kept.rstrip().endswith(";"):
            return kept
    made: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    with contextlib.suppress(Unwritable), whole(path) as file:
        file.write(made.encode())
    return made
