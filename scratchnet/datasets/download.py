"""Downloads one file with pooch: from the first of its addresses that gives the right content, in bounded time.

pooch writes into a temporary file, compares its checksum and only then gives it its name, so a reader sees the whole
file or none. What pooch does not do is give up a body that trickles or never ends: it waits as long as bytes come,
however few. So the body is read here, with requests, which pooch itself builds on, and given up where

    done > size                                  it never ends
    done < SLOWEST * (seconds - PATIENCE)        it trickles

The second line bounds the whole, too: a file of ``size`` bytes is there, or given up, after
``PATIENCE + size / SLOWEST`` seconds.
"""

import os
import shutil
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import url2pathname

CHUNK_BYTES = 1 << 16
SILENCE = 30  # seconds after which a server that says nothing at all is given up
PATIENCE = 20  # seconds in which a body may be as slow as it likes
LARGEST = 20 << 30  # bytes of a file of which neither we nor the server say how large it is
SLOWEST = 20_000  # bytes a second, on average; at this rate 170 MB take two hours and a half


class DownloadError(OSError):
    """No address gave the file; says what went wrong with each. Its ``__cause__`` is what did with the last."""


def download(urls, target, known_hash=None, size=None):
    """Download ``target`` from the first of ``urls`` that has it.

    Args:
        urls: addresses of the same content, tried in this order.
        target: pathlib.Path of the file to make, also the folder that it lies in. A file of other content is replaced.
        known_hash: hex sha256 of the content, or another digest as ``"md5:..."``; None: any content.
        size: how many bytes the file has at most; None: as many as the server says, or `LARGEST`.

    Raises:
        ImportError: pooch is not installed.
        DownloadError: no address gave the right content, or it could not be written.
    """
    try:
        import pooch
    except ImportError as error:
        raise ImportError(f"{target.name} has to be downloaded, which needs pooch: pip install pooch") from error
    import urllib3

    failures = {}
    for url in urls:
        try:
            pooch.retrieve(url, known_hash, target.name, target.parent, downloader=_Downloader(size))
            return
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # the errors of requests are OSErrors
            failures[url] = error
    raise DownloadError("\n".join(f"{url}: {error}" for url, error in failures.items())) from failures[url]


class _Downloader:
    """What pooch calls to fill its temporary file."""

    def __init__(self, size):
        self.size = size

    def __call__(self, url, output_file, pooch):
        os.remove(output_file)  # pooch made it for its owner alone, but a cache may be shared
        with open(output_file, "xb") as file:
            if urlsplit(url).scheme == "file":
                with open(url2pathname(urlsplit(url).path), "rb") as source:
                    shutil.copyfileobj(source, file)
            else:
                self.fetch(url, file)

    def fetch(self, url, file):
        import requests

        # A .gz file is wanted as it is, not once more compressed for the journey.
        headers = {"User-Agent": "scratchnet", "Accept-Encoding": "identity"}
        with requests.get(url, headers=headers, stream=True, timeout=SILENCE) as response:
            response.raise_for_status()
            declared = response.headers.get("Content-Length", "")
            total = int(declared) if declared.isdigit() else self.size
            most = self.size or total or LARGEST
            start, done = time.monotonic(), 0
            with _progress(total) as advance:
                # read1 hands out what has come, be it one byte: a trickle must not keep this loop from its clock.
                while chunk := response.raw.read1(CHUNK_BYTES):
                    done += len(chunk)
                    self.check(done, time.monotonic() - start, most)
                    file.write(chunk)
                    advance(len(chunk))

    def check(self, done, seconds, most=LARGEST):
        if done > most:
            raise ConnectionError(f"given up: the file has {most} bytes at most, the server sends more")
        if done < SLOWEST * (seconds - PATIENCE):
            raise ConnectionError(f"given up: {done} bytes in {seconds:.0f} seconds")


@contextmanager
def _progress(total):
    """A bar of tqdm on stderr, where both are there: yields the function that is told of further bytes."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda count: None
        return
    with tqdm(total=total, unit="B", unit_scale=True, ncols=79, mininterval=0.5, disable=sys.stderr is None) as bar:
        yield bar.update
