"""Extracts a tar or zip archive of any origin into a folder that nothing leaves.

Only folders and plain files are made. A link becomes a copy of what it points to inside the archive, so no name that
comes later can lead through it to somewhere else, as it can with ``tarfile.extractall`` and its filters. A name that
leads out of the folder is an error, as is a device. The folder appears when everything is in it.
"""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from scratchnet.datasets import gzipped

FORMATS = ("tar", "zip")


def extract(path, folder, formats=FORMATS):
    """Extract the archive, in the place of whatever the folder holds.

    Args:
        path: pathlib.Path of the archive; a tar archive may be compressed by gzip, bzip2 or xz.
        folder: pathlib.Path of the folder to make.
        formats: which of ``FORMATS`` it may have.

    Raises:
        ValueError: it is none of these, is damaged, or has a member that is refused; names the archive.
    """
    with _opened(path, formats) as members, tempfile.TemporaryDirectory(dir=folder.parent) as work:
        new = Path(work, folder.name)
        new.mkdir()
        for name, is_folder, content in members:
            target = (new / name).resolve()
            if not target.is_relative_to(new.resolve()):
                raise ValueError(f"the member {name} leads out of the folder")
            if is_folder:
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, open(target, "wb") as file:
                    shutil.copyfileobj(content, file)
        if folder.exists():
            folder.rename(Path(work, "old"))
        new.rename(folder)


@contextmanager
def _opened(path, formats):
    import lzma
    import tarfile
    import zipfile

    try:
        if "tar" in formats and tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                yield _tar_members(archive)
        elif "zip" in formats and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _zip_members(archive)
        else:
            raise ValueError(f"expected an archive of the form {' or '.join(formats) or '(none)'}")
    except (
        *gzipped.DAMAGES,
        *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError),
        *(ValueError, KeyError, NotImplementedError, RuntimeError),  # RuntimeError: a password; links in a circle
    ) as error:
        raise ValueError(f"{path}: not extracted: {error}") from error


def _tar_members(archive):
    for member in archive:
        content = None if member.isdir() else archive.extractfile(member)  # of a link: what it points to
        if content is None and not member.isdir():
            raise ValueError(f"the member {member.name} is neither a file nor a folder")
        yield member.name, member.isdir(), content


def _zip_members(archive):
    for member in archive.infolist():
        yield member.filename, member.is_dir(), None if member.is_dir() else archive.open(member)
