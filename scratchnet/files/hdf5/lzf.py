"""LZF, h5py's own compression (Lehmann, LibLZF): a row of bytes as runs that are new and runs that were there before.

    first byte     next           what it means
    0 to 31                       as many new bytes as it says, and one, follow
    32 to 223      low            copy: its upper three bits and 2 are the length, the other five and `low` the distance
    224 to 255     more, low      the same, the length being 7 + more + 2

The distance is how far back the copy begins, less one. A copy may run into itself: it repeats what it has just written.
"""


def unpacked(data, most):
    """The bytes that `data` stands for. Raises ValueError for what is no such row, or stands for more than `most`."""
    found, at = bytearray(), 0
    while at < len(data):
        control, at = data[at], at + 1
        if control < 32:
            found += data[at : at + control + 1]
            at += control + 1
        else:
            length, further = (control >> 5) + 2, control >> 5 == 7
            if at + 1 + further > len(data):
                raise ValueError("an array that is compressed by lzf and cut off")
            if further:
                length, at = length + data[at], at + 1
            distance, at = ((control & 31) << 8 | data[at]) + 1, at + 1
            if distance > len(found):
                raise ValueError("an array that is compressed by lzf and repeats what was never there")
            start = len(found) - distance
            before = found[start : start + length]
            found += (before * (length // len(before) + 1))[:length]
        if at > len(data) or len(found) > most:
            raise ValueError("an array that is compressed by lzf and has another length")
    return bytes(found)
