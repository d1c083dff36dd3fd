"""Keeps the tests of the data sets away from the user's own files and from the net; a mirror on loopback."""

import http.server
import os
import re
import socket
import threading
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
    connect = socket.create_connection

    def connect_to_loopback(address, *args, **kwargs):
        if address[0] != "127.0.0.1":
            raise OSError(f"no route to {address[0]} from the tests")
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", connect_to_loopback)


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
        cuts: for each coming request, after how many bytes the connection is cut; without an entry never.
        ranges: whether it can resume.
        requested: header Range of each request so far, None where there was none.
    """

    def __init__(self, content):
        self.content = content
        self.status = 200
        self.cuts = []
        self.ranges = True
        self.declares_length = True
        self.requested = []
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
        asked = request.headers.get("Range")
        self.requested.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.ranges else 0
        if self.status != 200:
            return request.send_error(self.status)
        if start and start >= len(self.content):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.declares_length:
            request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        cut = self.cuts.pop(0) if self.cuts else None
        rest = self.content[start:]
        request.wfile.write(rest if cut is None else rest[:cut])

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
