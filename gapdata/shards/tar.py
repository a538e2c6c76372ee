"""The tar files that shards are: plain USTAR, regular files only, the same header for the same name and size."""

from __future__ import annotations

TAR_BLOCK = 512  # headers and contents begin at multiples of it
TAR_RECORD = 20 * TAR_BLOCK  # a tar file ends with two empty blocks and is padded to whole records
NAME_BYTES = 100
SIZE = slice(124, 136)  # of a header: eleven octal digits and a zero byte

_MODE_AND_OWNER = b"0000644\0" + b"0000000\0" + b"0000000\0"
_TIME = b"00000000000\0"
_KIND = b"0" + bytes(100) + b"ustar\x0000"  # a regular file, linked to nothing
_REST = bytes(TAR_BLOCK - 265)
# A header's checksum is the sum of its bytes, with blanks for the eight of the checksum itself.
_FIXED_SUM = sum(_MODE_AND_OWNER + _TIME + _KIND + 8 * b" ")


def tar_header(name: str, size: int) -> bytes:
    """The one header block of a member: mode 0644, no time, user or group.

    The bytes are those of `tarfile.TarInfo.tobuf`, which takes twenty times as long: as long as hashing a small member.
    """
    path, length = name.encode("ascii"), b"%011o\0" % size
    if len(path) > NAME_BYTES or len(length) != SIZE.stop - SIZE.start:
        raise ValueError(f"{name} of {size} bytes does not fit a tar header")
    checksum = b"%06o\0 " % (_FIXED_SUM + sum(path) + sum(length))
    return b"".join(
        (path.ljust(NAME_BYTES, b"\0"), _MODE_AND_OWNER, length, _TIME, checksum, _KIND, _REST)
    )
