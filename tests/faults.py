"""A proxy on 127.0.0.1 before a server of HTTP: it writes down what is asked, and fails by a plan.

`python -m tests.faults http://127.0.0.1:PORT --delay 0.02` runs one by itself.
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

FAULTS = ("slow down", "error", "reset", "lost", "cut")
"""What can go wrong: 503 SlowDown; 500; reset before or after the server has done it; half an
answer."""

_REFUSALS = {
    "slow down": (503, "SlowDown", "Please reduce your request rate."),
    "error": (500, "InternalError", "We encountered an internal error. Please try again."),
    "denied": (403, "AccessDenied", "Access Denied"),
}

_OWN = frozenset({"connection", "expect", "transfer-encoding", "keep-alive"})  # of one connection


@dataclass(frozen=True)
class Request:
    """What was asked. path: without escapes. number: the how many-th of the same, from 0."""

    method: str
    path: str
    query: str
    number: int
    size: int


Plan = Callable[[Request], str | None]
"""Which fault a request meets, None for none; `delay 0.5` waits so many seconds first."""


def seeded(seed: int, share: float, most: int = 2) -> Plan:
    """A share of all requests fails, each of the same `most` times at most.

    Which do follows from what is asked, and so not from the order of threads.
    """

    def plan(request: Request) -> str | None:
        key = request.path.split("/", 2)[2:]  # whatever the bucket is called
        choice = random.Random(f"{seed} {request.method} {key} {request.query} {request.number}")
        fails = request.number < most and choice.random() < share
        return choice.choice(FAULTS) if fails else None

    return plan


class Proxy:
    """The proxy. plan: of its faults, may be set at any time. log: what was asked so far."""

    def __init__(self, target: str, plan: Plan = lambda request: None) -> None:
        self.plan, self.log, self.faults = plan, list[Request](), Counter[str]()
        self._asked: Counter[tuple[str, str, str]] = Counter()
        self.connections = set[object]()  # those that are open
        self._lock = threading.Lock()
        where = urlsplit(target)
        handler = type("Handler", (_Handler,), {"proxy": self, "target": where.netloc})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def meet(self, method: str, target: str, size: int) -> str | None:
        """Write a request down; the fault that it meets."""
        path, _, query = target.partition("?")
        with self._lock:
            number = self._asked[method, path, query]
            self._asked[method, path, query] += 1
            request = Request(method, unquote(path), query, number, size)
            self.log.append(request)
            fault = self.plan(request)
            if fault is not None:
                self.faults[fault] += 1
        return fault

    def count(self, method: str, ending: str = "") -> int:
        """How many requests of a method there were, for paths that end so."""
        return sum(r.method == method and r.path.endswith(ending) for r in list(self.log))

    def wait_for_others(self, known: Set[object], patience: float = 10) -> None:
        """Return once no connections but these are open: what a dead process asked is done."""
        end = time.monotonic() + patience
        while self.connections - known:
            assert time.monotonic() < end, "a connection stays open"
            time.sleep(0.01)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy: Proxy
    target: str
    upstream: http.client.HTTPConnection | None = None

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_expect_100(self) -> bool:
        done = super().handle_expect_100()
        self.wfile.flush()
        return done

    def setup(self) -> None:
        self.proxy.connections.add(self)
        super().setup()

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        try:
            super().finish()
        finally:
            self.proxy.connections.discard(self)

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # as a store does: what did not arrive whole is nothing
            self._reset()
            return
        fault = self.proxy.meet(self.command, self.path, len(body)) or ""
        if fault.startswith("delay "):
            time.sleep(float(fault.removeprefix("delay ")))
        elif fault in _REFUSALS:
            self._refuse(*_REFUSALS[fault])
            return
        elif fault == "reset":
            self._reset()
            return
        status, headers, answer = self._forward(body)
        if fault == "lost":
            self._reset()
            return
        self._answer(status, headers, answer, cut=fault == "cut")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _do  # noqa: N815

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(self.target)
            self.upstream.connect()
            self.upstream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.upstream.request(self.command, self.path, body, headers)
        response = self.upstream.getresponse()
        return response.status, response.getheaders(), response.read()

    def _refuse(self, status: int, code: str, message: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))]
        self._answer(status, headers, b"" if self.command == "HEAD" else text)

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _OWN:
                self.send_header(name, value)
        if "content-length" not in {name.lower() for name, _ in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self._reset()

    def _reset(self) -> None:
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()


if __name__ == "__main__":
    wait = sys.argv[3]
    print(Proxy(sys.argv[1], lambda request: f"delay {wait}").url, flush=True)
    threading.Event().wait()
