"""Where the file of a data set comes from: the user's own folder, else the cache, else the net."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from scratchnet.cache import CACHE_VARIABLE, cache_folder
from scratchnet.datasets import checksums

DATA_VARIABLE = "SCRATCHNET_DATA"


class Source(NamedTuple):
    """A file and the places where it may lie."""

    dataset: str  # as people write it: "MNIST"
    cached: str  # path inside the cache: "mnist/train-images-idx3-ubyte.gz"
    places: tuple  # paths inside the user's folder, the first that exists is taken
    urls: tuple  # addresses of the same content, the first that gives it is taken
    known_hash: str  # of the file as it is published: hex sha256, or "md5:..."
    size: int  # of the same file, in bytes
    needed: str  # what to put into SCRATCHNET_DATA, for the errors: "the file imdb.npz"
    sample: str = ""  # the call that needs no files, where there is one: "mnist.load_sample()"


def fetch(source, read):
    """What ``read`` makes of the file, from the first place that has it.

    Args:
        source: Source.
        read: function of a path; raises ValueError if the content is not right.

    Returns:
        what ``read`` returned.

    Raises:
        FileNotFoundError: SCRATCHNET_DATA names a folder without the file; or it is not set, nothing is cached, and
            no mirror gave the file. Says what to do.
        ImportError: the file has to be downloaded, and pooch is not installed.
        ValueError: the file in SCRATCHNET_DATA is damaged or is not the published one.
    """
    folder = os.environ.get(DATA_VARIABLE)
    if folder:
        return read(find_in(Path(folder).expanduser(), source))

    cached = cache_folder() / source.cached
    if cached.exists():
        try:
            return read(cached)
        except ValueError as error:
            if sys.stderr is not None:
                print(f"Fetching {cached.name} anew, because the cached copy is unusable: {error}", file=sys.stderr)

    from scratchnet.datasets.download import download

    try:
        download(source.urls, cached, source.known_hash, source.size)
    except ImportError as error:
        raise ImportError(f"{source.dataset} is not on this machine: {error}. {_offline(source)}") from error
    except OSError as error:
        raise FileNotFoundError(
            f"{source.dataset} is not on this machine, and {cached.name} could not be downloaded to {cached.parent}:\n"
            f"{error}\n"
            f"{_offline(source)}\n"
            f"({CACHE_VARIABLE} names another folder for downloads.)"
        ) from error
    return read(cached)


def fetch_or_open(source, path, call, read):
    """``fetch`` with the file's checksum, or, where ``path`` names a file of the user's own, what is read from that.

    Args:
        source: Source of one published file.
        path: the file's name as published, as Keras has it as default, stands for "wherever the data is".
        call: the function that the user called, for the errors.
        read: function of a path; raises ValueError if the content is not right.
    """
    if str(path) != Path(source.cached).name:
        return read(own_file(path, call))

    def read_published(file):
        checksums.check(file, source.known_hash, source.size)
        return read(file)

    return fetch(source, read_published)


def own_file(path, call):
    """The file that the user names, which has to exist."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{call}: path={str(path)!r} is not an existing file. Leave path out to use the folder named by "
            f"{DATA_VARIABLE}, the cache or the download"
        )
    return path


def _offline(source):
    sample = f"either use the sample that the package embeds, {source.sample}, or " if source.sample else ""
    return (
        f"Without a network, {sample}get {source.needed} elsewhere, put it into a folder, and set the environment "
        f"variable {DATA_VARIABLE} to that folder."
    )


def find_in(folder, source):
    """Path of the file inside the user's folder."""
    for place in source.places:
        if (folder / place).exists():
            return folder / place
    problem = "which is not there" if not folder.is_dir() else f"which has none of {', '.join(source.places)}"
    sample = f", or use {source.sample}" if source.sample else ""
    raise FileNotFoundError(
        f"{source.dataset}: the environment variable {DATA_VARIABLE} names the folder {folder}, {problem}. "
        f"Put {source.needed} there, or unset {DATA_VARIABLE} to download{sample}."
    )
