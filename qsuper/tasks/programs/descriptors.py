"""Open files that a program is to inherit, where they are in the way of no standard one."""

import fcntl
import os

LEAST = 10
"""From here on a descriptor of ours is in nobody's way."""


def pipe() -> tuple[int, int]:
    """The end to read from and the one to write to."""
    read, write = os.pipe2(os.O_CLOEXEC)
    return _out_of_the_way(read), _out_of_the_way(write)


def file_of(content: bytes) -> int:
    """An open file with this content: unlike a pipe, nobody has to feed it."""
    if not content:
        return _out_of_the_way(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    file = _out_of_the_way(os.memfd_create("param"))
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _out_of_the_way(descriptor: int) -> int:
    if descriptor >= LEAST:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, LEAST)
    finally:
        os.close(descriptor)
