"""The menu: every group, every option, its purpose in one line."""

from __future__ import annotations

from collections.abc import Sequence

from omnisim import config
from omnisim.cli import Parser, complain


def main(words: Sequence[str]) -> int:
    """Print the menu and return the exit status."""
    description = "Print the menu: every group, option and its purpose; * marks the default."
    options = Parser("configs", description).read(words)
    try:
        menu = config.menu(options.config_dir)
    except config.ConfigError as error:
        return complain(error)
    standing = config.defaults()
    for group, found in menu.items():
        print(f"{group}=")
        width = max(map(len, found), default=0)
        for name, option in found.items():
            mark = "*" if standing[group] == name else " "
            print(f"  {mark} {name:{width}}  {option.purpose or f'({option.path})'}")
        print()
    print("* stands when nothing is typed. Choose with group=option, set values with key=value.")
    return 0
