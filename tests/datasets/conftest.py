"""Keeps the tests of the data sets away from the user's own files and from the net; a mirror on loopback."""

import http.server
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from scratchnet.datasets import sources

FULL_DATA = os.environ.get(sources.DATA_VARIABLE)


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """No SCRATCHNET_DATA, an empty cache, and connections to loopback only."""
    monkeypatch.delenv(sources.DATA_VARIABLE, raising=False)
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    connect = socket.socket.connect

    def connect_to_loopback(self, address):
        if address[0] != "127.0.0.1":
            raise OSError(f"no route to {address[0]} from the tests")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback)
    monkeypatch.setattr(socket, "getaddrinfo", numeric_addresses(socket.getaddrinfo))


def numeric_addresses(getaddrinfo):
    """Looks up no names: there is nobody to ask, and asking takes long."""

    def look_up(host, port, *args, **kwargs):
        if not str(host).replace(".", "").isdigit():
            raise socket.gaierror(f"no name is looked up from the tests: {host}")
        return getaddrinfo(host, port, *args, **kwargs)

    return look_up


@pytest.fixture
def full_data(monkeypatch):
    """SCRATCHNET_DATA as it was outside the tests."""
    if not FULL_DATA or not Path(FULL_DATA).is_dir():
        pytest.skip(f"needs the whole data sets: set {sources.DATA_VARIABLE} to their folder")
    monkeypatch.setenv(sources.DATA_VARIABLE, FULL_DATA)
    return Path(FULL_DATA)


class Mirror:
    """A web server of one file that misbehaves as told.

    Attributes:
        content: bytes of the file.
        status: what it answers to every request; 200 to serve the file.
        cut: after how many bytes the connection is closed; None: never.
        declares_length: whether it says how long the file is.
        pause: seconds before each single byte; None: the file as one piece.
        endless: whether it goes on with zeros behind the file, until the other side has had enough.
        requested: how many requests have come so far.
    """

    def __init__(self, content):
        self.content = content
        self.status = 200
        self.cut = None
        self.declares_length = True
        self.pause = None
        self.endless = False
        self.requested = 0
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/file.gz"

    def answer(self, request):
        self.requested += 1
        if self.status != 200:
            return request.send_error(self.status)
        request.send_response(200)
        if self.declares_length and not self.endless:
            request.send_header("Content-Length", str(len(self.content)))
        request.end_headers()
        try:
            self.send(request.wfile)
        except OSError:  # the other side has hung up
            request.close_connection = True

    def send(self, wire):
        if self.pause is None:
            wire.write(self.content[: self.cut])
        else:
            for i in range(len(self.content)):
                time.sleep(self.pause)
                wire.write(self.content[i : i + 1])
        while self.endless:
            wire.write(bytes(10000))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mirror_of():
    """Function of bytes: starts a Mirror of them that ends with the test."""
    mirrors = []

    def start(content):
        mirrors.append(Mirror(content))
        return mirrors[-1]

    yield start
    for mirror in mirrors:
        mirror.close()
