"""The door: picks the subcommand, imports nothing heavy."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from omnisim import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _started(words)
    except KeyboardInterrupt:
        return cli.complain("interrupted", 130)
    except BrokenPipeError:  # the reader had seen enough, as in `omnisim configs | head`
        sys.stderr.close()
        return 0


def _started(words: list[str]) -> int:
    first = words[0] if words else ""
    if first in ("-h", "--help", "--version"):
        return cli.introduce(first)
    if first and first not in cli.COMMANDS and first[0] not in "-+~" and "=" not in first:
        return cli.refuse_command(first)
    # Each command is imported only now, so that help and the menu answer at once.
    if first == "configs":
        from omnisim.cli.configs import main as configs

        return configs(words[1:])
    if first == "report":
        from omnisim.cli.report import main as report

        return report(words[1:])
    if first == "inventory":
        from omnisim.cli.inventory import main as inventory

        return inventory(words[1:])
    if first == "trace":
        from omnisim.cli.trace import main as trace

        return trace(words[1:])
    if words[:2] == ["validate", "hypotheses"]:
        from omnisim.cli.hypotheses import main as hypotheses

        return hypotheses(words[2:])
    if first == "export":
        from omnisim.cli.export import main as export

        return export(words[1:])
    if first == "validate":
        from omnisim.cli.validate import main as validate

        return validate(words[1:])
    if first == "workshop":
        from omnisim.cli.workshop import main as workshop

        return workshop(words[1:])
    if first == "bench":
        from omnisim.cli.bench import main as bench

        return bench(words[1:])
    from omnisim.cli.run import main as run

    return run(words[1:] if first == "run" else words)


if __name__ == "__main__":
    sys.exit(main())
