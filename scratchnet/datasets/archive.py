"""The wanted files of a tar archive, gzipped or not, in memory that does not depend on what the archive says.

A tar archive is a row of members: a header of 512 bytes with a name and a length, then so many bytes, filled up to a
multiple of 512. A member may also describe the next one (a long name, a pax header), and then Python's ``tarfile``
reads as many bytes as its header claims, three gigabytes if it likes; and it keeps a record of every member that it
has passed. Here ``tarfile`` parses single headers only. What is not wanted is passed over, and nothing is written to
any path that the archive names.
"""

from pathlib import PurePosixPath

from scratchnet.datasets import gzipped

BLOCK = 512
MOST_MEMBERS = 100


def wanted_members(path, wanted, most_bytes):
    """Yields name, place (for errors) and content of the regular files of a wanted name, in whatever folder they lie.

    Args:
        path: pathlib.Path of the archive.
        wanted: dict from the names to the lengths in bytes that they may have at most.
        most_bytes: length that the whole archive may unfold to.

    Raises:
        ValueError: damaged, truncated, no archive, or larger than it may be; names the archive.
    """
    import tarfile

    try:
        with gzipped.open_any(path) as file:
            for member in _headers(file, path, most_bytes):
                name = PurePosixPath(member.name).name
                if name in wanted and member.isreg():
                    yield name, f"{path}: {member.name}", _content(file, member, path, wanted[name])
    except (tarfile.TarError, *gzipped.DAMAGES) as error:
        raise ValueError(f"{path}: damaged, truncated or no tar.gz archive: {error}") from error


def _headers(file, path, most_bytes):
    """Yields the header of each member, with ``file`` where its content begins."""
    import tarfile

    end = 0
    for _ in range(MOST_MEMBERS):
        file.seek(end)
        try:
            member = tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape")
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # a block of zeros, or nothing
            return
        end += BLOCK + (member.size + BLOCK - 1) // BLOCK * BLOCK
        if member.size < 0 or end > most_bytes:
            raise ValueError(
                f"{path}: refused: {member.name} has {member.size} bytes, all members together at most {most_bytes}"
            )
        yield member
    raise ValueError(f"{path}: refused: an archive of more than {MOST_MEMBERS} members")


def _content(file, member, path, most_bytes):
    if member.size > most_bytes:
        raise ValueError(f"{path}: refused: {member.name} has {member.size} bytes, expected at most {most_bytes}")
    content = file.read(member.size)
    if len(content) < member.size:
        raise ValueError(f"{path}: truncated in {member.name}")
    return content
