"""The server: pages, messages and streams of events of one machine in one room's network."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import ipaddress
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Any

import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from omnisim.workshop import export, messages, views
from omnisim.workshop.host import Host, wall_clock
from omnisim.workshop.messages import LARGEST, text, whole
from omnisim.workshop.patience import Patience
from omnisim.workshop.refusal import Refused
from omnisim.workshop.reveal import reveal
from omnisim.workshop.room import MOST_FIRMS, Room
from omnisim.workshop.texts import LANGUAGES, preferred, texts

TRAINER = "omnisim_trainer"
SEAT = "omnisim_seat"  # with the code of the room
BREATH = 0.2  # seconds between two events of a stream
HEARTBEAT = 15.0
SHOWN = 12  # rooms of before, the last ones first
STREAMS = 3  # of one seat; who opens another loses the oldest
KINDS = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Handler = Callable[["Server", Request], Awaitable[Response]]


class Server:
    """All that answers: one host, one trainer's key, the streams that are open."""

    def __init__(self, host: Host, key: str, address: str) -> None:
        self.host = host
        self.key = key
        self.address = address  # that phones open
        self.codes = Patience()
        self.seats = Patience()
        self.strangers = Patience(burst=200, per_second=40)
        self.streams: dict[str, list[asyncio.Event]] = {}

    def app(self) -> ASGIApp:
        """Return the application."""
        routes = [
            *(Route(path, self._page(name)) for path, name in PAGES.items()),
            Route("/trainer", self._guarded(_trainer)),
            Route("/static/{name}", self._guarded(_static)),
            Route("/texts/{language}.json", self._guarded(_texts)),
            Route("/qr/{code}.svg", self._guarded(_qr)),
            Route("/api/door", self._guarded(_door), methods=["POST"]),
            Route("/api/join", self._guarded(_join), methods=["POST"]),
            Route("/api/rooms", self._guarded(_rooms)),
            Route("/api/rooms", self._guarded(_open), methods=["POST"]),
            Route("/api/rooms/{code}/say", self._guarded(_say), methods=["POST"]),
            Route("/api/rooms/{code}/lead", self._guarded(_direct), methods=["POST"]),
            Route("/api/rooms/{code}/state", self._guarded(_state)),
            Route("/api/rooms/{code}/events", self._guarded(_events)),
            Route("/api/rooms/{code}/led", self._guarded(_led)),
            Route("/api/rooms/{code}/led-events", self._guarded(_led_events)),
            Route("/api/rooms/{code}/reveal", self._guarded(_reveal)),
            Route("/api/rooms/{code}/rounds.csv", self._guarded(_csv)),
            Route("/api/rooms/{code}/debrief.html", self._guarded(_debrief)),
        ]
        return _OnlyHere(Starlette(routes=routes, lifespan=self._life))

    @contextlib.asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        self.host.start()
        try:
            yield
        finally:
            self.host.stop()

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                response = await handler(self, request)
            except Refused as refused:
                told = {"refused": refused.why, **refused.details}
                response = JSONResponse(told, refused.status)
            response.headers.update(HEADERS)
            return response

        return answer

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def show(server: Server, request: Request) -> Response:
            return server.page(name, request)

        return self._guarded(show)

    def page(self, name: str, request: Request) -> Response:
        """Return one of the pages, in the language that was chosen or that the browser asks for."""
        chosen = request.cookies.get("omnisim_language", "")
        asked = preferred(request.headers.get("accept-language", ""))
        language = chosen if chosen in LANGUAGES else asked
        return HTMLResponse(_read(name).replace("LANGUAGE", language))

    # -- who is it ----------------------------------------------------------------------

    def must_lead(self, request: Request) -> None:
        """Raise Refused for everybody but the trainer."""
        if not secrets.compare_digest(request.cookies.get(TRAINER, ""), self.key):
            raise Refused("not_the_trainer", 403)

    def seat(self, request: Request) -> tuple[Room, int, str, str]:
        """Return room, firm, role and token of whoever asks; raise Refused without a seat."""
        room = self.host.room(request.path_params["code"])
        token = request.cookies.get(f"{SEAT}_{room.code}", "")
        found = room.seat_of(token) if token else None
        if found is None:
            raise Refused("no_seat", 403)
        return room, *found, token

    def room(self, request: Request) -> Room:
        """Return the trainer's room of an address; raise Refused for others."""
        self.must_lead(request)
        return self.host.room(request.path_params["code"])


PAGES = {"/": "seat.html", "/j/{code}": "seat.html", "/paper/{code}": "paper.html"}


def sender(request: Request) -> str:
    """Return the address of whoever asks."""
    return request.client.host if request.client else ""


async def body(request: Request) -> dict[str, Any]:
    """Return a message; raise Refused unless a page of ours has sent it."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused("bad_message", 415)
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST:
            raise Refused("too_large", 413)
    return messages.parsed(read)


# -- pages ------------------------------------------------------------------------------


@functools.cache
def _read(name: str) -> str:
    return (files("omnisim.workshop") / "static" / name).read_text(encoding="utf-8")


async def _static(server: Server, request: Request) -> Response:
    name = request.path_params["name"]
    kind = KINDS.get(name.rpartition(".")[2])
    if kind is None or name not in _names():
        raise Refused("no_such_page", 404)
    return Response(_read(name), media_type=kind)


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in (files("omnisim.workshop") / "static").iterdir())


async def _texts(server: Server, request: Request) -> Response:
    language = request.path_params["language"]
    if language not in LANGUAGES:
        raise Refused("no_such_page", 404)
    return JSONResponse(texts(language))


async def _trainer(server: Server, request: Request) -> Response:
    """Show the trainer's page; the key in the address becomes a cookie at once."""
    key = request.query_params.get("key")
    if key is not None and secrets.compare_digest(key, server.key):
        response: Response = RedirectResponse("/trainer", 303)
        response.set_cookie(TRAINER, server.key, 30 * 86400, httponly=True, samesite="lax")
        return response
    if not secrets.compare_digest(request.cookies.get(TRAINER, ""), server.key):
        return HTMLResponse(_read("keyless.html"), 403)
    return server.page("trainer.html", request)


async def _qr(server: Server, request: Request) -> Response:
    server.must_lead(request)
    code = server.host.room(request.path_params["code"]).code
    drawn = io.BytesIO()
    made = segno.make(f"{server.address}/j/{code}", error="m", micro=False)
    made.save(drawn, kind="svg", scale=8, border=2)
    return Response(drawn.getvalue(), media_type=KINDS["svg"])


# -- coming in --------------------------------------------------------------------------


def _room_of_code(server: Server, request: Request, message: dict[str, Any]) -> Room:
    """Return the room of a typed code; a wrong one costs time, each time more."""
    who, now = sender(request), time.monotonic()
    server.codes.admit(who, now)
    try:
        room = server.host.room(text(message, "code", 20).strip())
    except Refused:
        server.codes.blame(who, now)
        raise
    server.codes.forgive(who)
    return room


async def _door(server: Server, request: Request) -> Response:
    server.strangers.count(sender(request), time.monotonic())
    room = _room_of_code(server, request, await body(request))
    token = request.cookies.get(f"{SEAT}_{room.code}", "")
    seated = bool(token) and room.seat_of(token) is not None
    return JSONResponse(views.door(room) | {"seated": seated})


async def _join(server: Server, request: Request) -> Response:
    server.strangers.count(sender(request), time.monotonic())
    message = await body(request)
    room = _room_of_code(server, request, message)
    firm = whole(message, "firm", 0, room.firms - 1)
    before = room.seat_of(request.cookies.get(f"{SEAT}_{room.code}", "-"))
    token = room.join(firm, text(message, "role"), text(message, "name"))
    if before is not None:  # who moves leaves the old seat to the computer
        room.free(*before)
    server.host.changed(room)
    response = JSONResponse({"code": room.code})
    cookie = f"{SEAT}_{room.code}"
    response.set_cookie(cookie, token, 30 * 86400, httponly=True, samesite="lax")
    return response


async def _rooms(server: Server, request: Request) -> Response:
    server.must_lead(request)
    host = server.host
    rooms = [
        {
            "code": room.code,
            "form": room.form,
            "firms": room.firms,
            "step": room.step,
            "steps": len(room.programme),
        }
        for room in list(host.rooms.values())[: -SHOWN - 1 : -1]
    ]
    return JSONResponse(
        {"rooms": rooms, "ready": host.is_ready.is_set(), "address": server.address}
    )


async def _open(server: Server, request: Request) -> Response:
    server.must_lead(request)
    message = await body(request)
    firms = whole(message, "firms", 1, MOST_FIRMS)
    form: Any = text(message, "form")
    room = await server.host.open(form, firms, message.get("practice") is True)
    return JSONResponse({"code": room.code})


# -- playing ----------------------------------------------------------------------------


async def _say(server: Server, request: Request) -> Response:
    room, firm, role, token = server.seat(request)
    server.seats.count(token, time.monotonic())
    message = await body(request)
    fresh = messages.say(room, firm, role, message, wall_clock())
    if fresh:
        server.host.changed(room)
    return JSONResponse({"heard": fresh})


async def _direct(server: Server, request: Request) -> Response:
    room = server.room(request)
    message = await body(request)
    if message.get("kind") == "run":
        if message.get("place") != room.place:
            raise Refused("not_now")
        server.host.run(room)
    else:
        messages.direct(room, message, wall_clock())
        server.host.changed(room)
        server.host.go_on(room)
    return JSONResponse({"version": room.version})


async def _state(server: Server, request: Request) -> Response:
    room, firm, role, _ = server.seat(request)
    return JSONResponse(views.view(room, firm, role, wall_clock()))


async def _led(server: Server, request: Request) -> Response:
    return JSONResponse(views.lead(server.room(request), wall_clock()))


async def _events(server: Server, request: Request) -> Response:
    room, firm, role, token = server.seat(request)

    def seen() -> dict[str, Any] | None:
        if room.seat_of(token) != (firm, role):
            return None
        return views.view(room, firm, role, wall_clock())

    return stream(server, room, token, seen)


async def _led_events(server: Server, request: Request) -> Response:
    room = server.room(request)
    return stream(server, room, "", lambda: views.lead(room, wall_clock()))


def stream(
    server: Server, room: Room, token: str, seen: Callable[[], dict[str, Any] | None]
) -> StreamingResponse:
    """Return a stream of whole states: one now, one after every change, a breath apart."""
    mine = asyncio.Event()

    async def events() -> AsyncIterator[str]:
        heard = server.host.heard.setdefault(room.code, set())
        heard.add(mine)
        open_ones = server.streams.setdefault(f"{room.code} {token}", [])
        open_ones.append(mine)
        if len(open_ones) > STREAMS:
            open_ones.pop(0).set()
        try:
            while mine in open_ones:
                mine.clear()
                state = seen()
                if state is None:
                    yield "event: gone\ndata: {}\n\n"
                    return
                yield f"event: state\ndata: {json.dumps(state)}\n\n"
                await asyncio.sleep(BREATH)
                try:
                    await asyncio.wait_for(mine.wait(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
            yield "event: elsewhere\ndata: {}\n\n"
        finally:
            heard.discard(mine)
            if mine in open_ones:
                open_ones.remove(mine)

    return StreamingResponse(events(), media_type="text/event-stream")


# -- debrief ----------------------------------------------------------------------------


def _revealed(server: Server, room: Room) -> dict[str, Any]:
    return reveal(room, server.host.yardsticks, server.host.walk)


async def _reveal(server: Server, request: Request) -> Response:
    return JSONResponse(_revealed(server, server.room(request)))


async def _csv(server: Server, request: Request) -> Response:
    room = server.room(request)
    rows = export.rounds_csv(room, server.host.yardsticks)
    return Response(rows, media_type="text/csv", headers=_attached(f"omnisim-{room.code}.csv"))


async def _debrief(server: Server, request: Request) -> Response:
    room = server.room(request)
    asked = request.query_params.get("language", LANGUAGES[0])
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    page = export.debrief(room, _revealed(server, room), language)
    return HTMLResponse(page, headers=_attached(f"omnisim-{room.code}.html"))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


class _OnlyHere:
    """Answers to addresses of machines alone, so that no foreign name leads a browser here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_address(dict(scope["headers"]).get(b"host", b"")):
            await JSONResponse({"refused": "no_such_page"}, 400)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_address(host: bytes) -> bool:
    name = host.decode("latin-1")
    name = name.rpartition("]")[0].lstrip("[") if name.startswith("[") else name.partition(":")[0]
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
