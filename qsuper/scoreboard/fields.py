"""Numbers and texts at fixed places of a mapped file."""

import mmap
import os
from pathlib import Path


def make(path: Path, size: int, magic: bytes) -> None:
    """A new file of zeros that begins with `magic`, in the place of whatever was there."""
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        # Not ftruncate: on a full disk a hole in a mapped file kills whoever writes to it.
        os.posix_fallocate(descriptor, 0, size)
        os.pwrite(descriptor, magic, 0)
    finally:
        os.close(descriptor)
    fresh.rename(path)


class Int:
    """A 64-bit integer at a byte offset of its owner."""

    def __init__(self, offset: int) -> None:
        self._word = offset // 8

    def __get__(self, owner: "Part", kind: type) -> int:
        return owner.ints[owner.word + self._word]

    def __set__(self, owner: "Part", value: int) -> None:
        owner.ints[owner.word + self._word] = value


class Float:
    """A double at a byte offset of its owner."""

    def __init__(self, offset: int) -> None:
        self._word = offset // 8

    def __get__(self, owner: "Part", kind: type) -> float:
        return owner.floats[owner.word + self._word]

    def __set__(self, owner: "Part", value: float) -> None:
        owner.floats[owner.word + self._word] = value


class Text:
    """UTF-8 at a byte offset of its owner, cut to its size, padded with NUL."""

    def __init__(self, offset: int, size: int) -> None:
        self._offset, self._size = offset, size

    def __get__(self, owner: "Part", kind: type) -> str:
        start = owner.start + self._offset
        raw = bytes(owner.bytes[start : start + self._size])
        return raw.partition(b"\0")[0].decode("utf-8", "replace")

    def __set__(self, owner: "Part", value: str) -> None:
        start = owner.start + self._offset
        raw = value.encode("utf-8", "replace")[: self._size]
        owner.bytes[start : start + self._size] = raw.ljust(self._size, b"\0")


class Memory:
    """The file as bytes, as integers, as doubles."""

    __slots__ = ("bytes", "floats", "ints", "shorts")

    def __init__(self, mapped: mmap.mmap) -> None:
        self.bytes = memoryview(mapped)
        self.ints: memoryview[int] = self.bytes.cast("q")
        self.floats: memoryview[float] = self.bytes.cast("d")
        self.shorts: memoryview[int] = self.bytes.cast("H")


class Part:
    """A stretch of the file that starts at `start` bytes."""

    __slots__ = ("bytes", "floats", "ints", "start", "word")

    def __init__(self, memory: Memory, start: int) -> None:
        self.bytes = memory.bytes
        self.ints = memory.ints
        self.floats = memory.floats
        self.start = start
        self.word = start // 8
