"""The workshop: opens a page on this machine for the trainer, and a room for phones if asked."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from omnisim import config, files
from omnisim.cli import Parser, complain
from omnisim.spec import ExperimentSpec, Fault

DESCRIPTION = "Open the workshop: people head the departments of a firm and feel the silo."
EXAMPLES = """\
examples:
  python -m omnisim workshop                    one laptop and a projector, decisions on paper
  python -m omnisim workshop --share            phones in the same network join with a code
  python -m omnisim workshop seed=7             the same firm with other luck
"""
HERE, EVERYWHERE = "127.0.0.1", "0.0.0.0"
PORT, LAST_PORT = 8765, 65535


def main(words: Sequence[str]) -> int:
    """Serve the workshop until it is interrupted and return the exit status."""
    options = parser().read(words)
    try:
        question = ["experiment=workshop", *options.overrides]
        spec, _ = config.load(question, options.config_dir)
        from omnisim.workshop.roles import cast

        cast(spec)
        key = trainers_key(options.rooms)
        listening = _listening(HERE if not options.share else EVERYWHERE, options.port)
    except config.ConfigError as error:
        return complain(error)
    except Fault as fault:
        return complain(config.told(fault))
    with listening:
        _serve(spec, options.rooms, key, listening, options.share, not options.no_browser)
    return 0


def parser() -> Parser:
    """Return what may be typed."""
    typed = Parser("workshop", DESCRIPTION, EXAMPLES)
    typed.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="an option or a value")
    typed.add_argument(
        "--share", action="store_true", help="let phones in this network join (default: nobody)"
    )
    typed.add_argument(
        "--port", type=_port, default=PORT, metavar="N", help=f"where to listen (default {PORT})"
    )
    typed.add_argument(
        "--rooms",
        type=Path,
        default=Path("results/workshop"),
        metavar="DIR",
        help="where rooms are kept (default results/workshop)",
    )
    typed.add_argument("--no-browser", action="store_true", help="open no page by itself")
    return typed


def _port(word: str) -> int:
    if not word.isdecimal() or not 0 <= int(word) <= LAST_PORT:
        import argparse

        raise argparse.ArgumentTypeError(f"found {word}, allowed: 0 to {LAST_PORT}")
    return int(word)


def trainers_key(folder: Path) -> str:
    """Return the key of the trainer's page: the one of before, or a new one; raise ConfigError."""
    path = folder / "trainer.key"
    try:
        if path.exists() and len(kept := path.read_text().strip()) >= 20:
            return kept
        key = secrets.token_urlsafe(24)
        with files.whole(path) as file:
            file.write(key.encode())
        with contextlib.suppress(OSError):
            os.chmod(path, 0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise config.ConfigError("--rooms", str(error), "a folder that can be written") from None
    return key


def _listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens; raise ConfigError if the port is taken."""
    there = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        there.bind((address, port))
        there.listen()  # from now on a browser waits rather than being turned away
    except OSError as error:
        there.close()
        found = f"{port} ({error.strerror})"
        raise config.ConfigError("--port", found, "a free port, or 0 for any") from None
    return there


def own_address() -> str:
    """Return this machine's address in the local network, else that for itself alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent; it only chooses a way out
            return str(probe.getsockname()[0])
        except OSError:
            return HERE


def _serve(
    spec: ExperimentSpec,
    folder: Path,
    key: str,
    listening: socket.socket,
    share: bool,
    opens: bool,
) -> None:
    import uvicorn

    from omnisim.workshop.desk import Desk
    from omnisim.workshop.host import Host
    from omnisim.workshop.server import Server

    port = listening.getsockname()[1]
    reached = f"http://{own_address() if share else HERE}:{port}"
    host = Host(spec, folder, Desk(spec, max(1, min(4, os.cpu_count() or 1))))
    server = Server(host, key, reached)
    trainer = f"http://{HERE}:{port}/trainer?key={key}"
    print(f"Trainer's page (for you alone): {trainer}")
    if share:
        print(f"Phones in this network: {reached}   (the code of the room is on your page)")
    else:
        print("Only this machine can open it. With --share phones in this network can, too.")
    print(f"Rooms are kept in {host.folder}. Stop with Ctrl+C.", flush=True)
    if opens:
        webbrowser.open(trainer)
    words = uvicorn.Config(
        server.app(),
        log_level="error",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=20,
        server_header=False,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl+C does
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(words).run(sockets=[listening])
