"""Downloading one file: from several mirrors, resumed where it broke off, and there only when it is whole and right.

While a file is on its way it is called ``<target>.<process>-<number>.part`` and belongs to one process alone, so two
processes that want the same file do not write into each other's. What an interrupted download leaves is called
``<target>.part``; whoever comes next makes it his own by renaming it, which only one can. The part becomes the target
by a rename too, after its content has been checked: a reader sees the whole file or none.
"""

import http.client
import os
import re
import secrets
import sys
import time
import urllib.error
import urllib.request

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30
MAX_CONNECTIONS = 10  # per mirror, and only as long as each brings something
ABANDONED_SECONDS = 20 * TIMEOUT_SECONDS  # a live download writes, or gives up, long before

_NETWORK_ERRORS = (OSError, http.client.HTTPException)  # URLError, time-outs and resets are OSErrors


class DownloadError(OSError):
    """No mirror gave the file; says what went wrong with each."""


def download(urls, target, read):
    """Download ``target`` from the first of ``urls`` that has it.

    Args:
        urls: addresses of the same content, tried in this order.
        target: pathlib.Path of the file to make. Its folder is made, too.
        read: function of a path that returns what the file holds, or raises ValueError if the content is not right.

    Returns:
        what ``read`` returned.

    Raises:
        DownloadError: no address gave the right content. What has arrived is kept and resumed by the next call.
        OSError: the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _claim_part(target)
    failures = []
    try:
        for url in urls:
            try:
                content = _download_from(url, part, read)
            except (*_NETWORK_ERRORS, ValueError) as error:
                failures.append(f"{url}: {_reason(error)}")
            else:
                _publish(part, target)
                return content
    finally:
        _release_part(part, target)
    raise DownloadError("\n".join(failures))


def _download_from(url, part, read):
    for _ in range(MAX_CONNECTIONS):
        before = part.stat().st_size
        try:
            _fetch_rest(url, part)
        except _NETWORK_ERRORS:
            if part.stat().st_size <= before:
                raise  # this connection brought nothing, so the next would not either
            continue
        try:
            return read(part)
        except ValueError:
            part.write_bytes(b"")
            if before == 0:
                raise
            # The beginning may have come from another mirror with another compression: once more, from here alone.
    raise ConnectionError(f"interrupted {MAX_CONNECTIONS} times")


def _fetch_rest(url, part):
    """Append to ``part`` what it lacks, or fetch it anew from a server that cannot resume."""
    start = part.stat().st_size
    headers = {"User-Agent": "scratchnet"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return  # nothing lies beyond what is there: it is complete, or wrong, which the caller checks
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not re.match(rf"bytes {start}-", response.headers.get("Content-Range", "")):
            raise ConnectionError(f"asked for the bytes from {start} on, the server sent others")
        done = start if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        progress = _ProgressBar(url, total)
        with open(part, "ab" if resumed else "wb") as file, progress:
            while chunk := response.read1(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                progress.update(done)
    if total is not None and done < total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _claim_part(target):
    """A part file that belongs to this call alone, with whatever an earlier download has left."""
    mine = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    abandoned_before = time.time() - ABANDONED_SECONDS
    left = [target.with_name(f"{target.name}.part"), *sorted(target.parent.glob(f"{target.name}.*.part"))]
    for number, path in enumerate(left):
        try:
            if number == 0 or path.stat().st_mtime < abandoned_before:
                os.rename(path, mine)
                os.utime(mine)
                return mine
        except OSError:  # not there, or another process was quicker
            continue
    mine.touch()
    return mine


def _release_part(part, target):
    """Leave what has arrived to the next call; after a success nothing is left."""
    if part.exists():
        if part.stat().st_size:
            os.replace(part, target.with_name(f"{target.name}.part"))
        else:
            part.unlink()


def _publish(part, target):
    try:
        os.replace(part, target)
    except PermissionError:
        # Windows does not replace a file that somebody reads; then another process has just finished the same download.
        if not target.exists():
            raise
        part.unlink()


def _reason(error):
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


class _ProgressBar:
    """A bar on stderr that rewrites its line; where stderr is not a terminal, one line when the download begins."""

    WIDTH = 30
    SECONDS_BETWEEN = 0.1

    def __init__(self, url, total):
        self.total = total
        self.stream = sys.stderr
        self.is_terminal = self.stream is not None and self.stream.isatty()
        self.next_time = 0.0
        self.done = 0
        if self.stream is not None:
            size = "" if total is None else f" ({total / 1e6:.1f} MB)"
            print(f"Downloading {url}{size}", file=self.stream, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_terminal:
            self._draw()
            print(file=self.stream, flush=True)

    def update(self, done):
        self.done = done
        if self.is_terminal and time.monotonic() >= self.next_time:
            self._draw()
            self.next_time = time.monotonic() + self.SECONDS_BETWEEN

    def _draw(self):
        if self.total:
            filled = int(self.WIDTH * self.done / self.total)
            bar = "=" * filled + "." * (self.WIDTH - filled)
            line = f"[{bar}] {self.done / 1e6:6.1f} / {self.total / 1e6:.1f} MB"
        else:
            line = f"{self.done / 1e6:6.1f} MB"
        print(f"\r{line}", end="", file=self.stream, flush=True)
