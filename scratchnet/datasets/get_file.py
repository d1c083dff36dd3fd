"""``get_file``: a file from an address, downloaded once, checked, and extracted if it is an archive."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from scratchnet.datasets import checksums, extraction, sources


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
):
    """Downloads a file, unless it is in the cache already.

    Args:
        fname: name of the file in the cache, or of the folder that an archive is extracted to; None: the name that
            ``origin`` ends in. As in Keras, an archive with the name "a.tgz" is extracted to "a_extracted", one with
            a name without a dot, "a", is kept as "a_archive" and extracted to "a".
        origin: address of the file, http, https or file.
        untar: extract a tar archive; ``extract`` does it, too.
        md5_hash: hex md5 of the file; ``file_hash`` takes it, too.
        file_hash: hex sha256 or md5 of the file. A file of other content in the cache is downloaded anew.
        cache_subdir: folder in ``cache_dir``, or an absolute path in its place.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"``: whichever has digests of this length.
        extract: extract the archive. Nothing of it leaves the folder, see ``scratchnet/datasets/extraction.py``.
        archive_format: ``"tar"``, ``"zip"``, a list of them, or ``"auto"`` for both.
        cache_dir: None stands for ``$SCRATCHNET_CACHE``, or ``scratchnet`` in the user's cache folder.
        force_download: download in any case.

    Returns:
        path of the file, or of the folder that the archive was extracted to, as a str.

    Raises:
        ImportError: the file has to be downloaded, and pooch is not installed.
        ValueError: an argument is not one of these; the content is not that of ``file_hash``; or the archive is
            damaged, or has members that lead out of the folder.
        OSError: the file could not be downloaded or written.
    """
    if origin is None:
        raise ValueError("get_file: origin is missing, the address of the file")
    formats = _formats("tar" if untar else archive_format) if untar or extract else None
    known_hash = _known_hash(file_hash or md5_hash, hash_algorithm if file_hash else "md5")
    folder = (Path(cache_dir).expanduser() if cache_dir else sources.cache_folder()) / cache_subdir
    file, extracted = _places(folder, fname, origin, formats)

    fresh = force_download or not _is_there(file, known_hash)
    if fresh:
        _download(origin, file, known_hash, force_download)
    if formats is None:
        return str(file)
    if fresh or not extracted.exists():
        extraction.extract(file, extracted, formats)
    return str(extracted)


def _formats(archive_format):
    formats = extraction.FORMATS if archive_format == "auto" else archive_format
    formats = (formats,) if isinstance(formats, str) else tuple(formats or ())
    if not formats or not set(formats) <= set(extraction.FORMATS):
        raise ValueError(
            f"get_file: archive_format={archive_format!r}, expected 'auto', 'tar', 'zip' or a list of them"
        )
    return formats


def _known_hash(digest, algorithm):
    """The digest in pooch's form."""
    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(f"get_file: hash_algorithm={algorithm!r}, expected 'auto', 'sha256' or 'md5'")
    if digest is None:
        return None
    if algorithm == "auto":
        algorithm = "sha256" if len(digest) == 64 else "md5"
    return f"{algorithm}:{digest}"


def _places(folder, fname, origin, formats):
    """Where the file lies, and where what is extracted from it."""
    name = str(fname or urlsplit(origin).path.rpartition("/")[2])
    if Path(name).name != name or name in ("", ".."):
        raise ValueError(
            f"get_file: {name!r} is no name of a file; give fname without a folder, and the folder as cache_dir"
        )
    if formats is None:
        return folder / name, None
    if fname and "." in name:
        return folder / name, folder / f"{name.partition('.')[0]}_extracted"
    return folder / f"{name}_archive", folder / name


def _is_there(file, known_hash):
    if not file.exists():
        return False
    if known_hash is not None:
        try:
            checksums.check(file, known_hash)
        except ValueError as error:
            if sys.stderr is not None:
                print(f"Fetching {file.name} anew: {error}", file=sys.stderr)
            return False
    return True


def _download(origin, file, known_hash, force):
    from scratchnet.datasets.download import DownloadError, download

    if force:
        file.unlink(missing_ok=True)
    try:
        download([origin], file, known_hash)
    except DownloadError as error:
        if type(error.__cause__) is ValueError:  # what pooch says of another checksum
            raise ValueError(f"get_file: Incomplete or corrupted file: {error}") from error
        raise
