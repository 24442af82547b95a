"""Finds lines in the day-files: from the end backwards, then forward, and as they are written."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from qsuper.logs.dayfile import file_name
from qsuper.logs.lines import begins, parse
from qsuper.logs.sought import Sought, stamp

BLOCK = 1 << 20
"""Bytes that are read at a time."""
_NOBODYS_MOST = 4 * BLOCK
"""Bytes without the beginning of a line, after which they are taken for what they are."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading begins."""

    path: Path
    offset: int


def start_of(folder: Path, sought: Sought, most: int | None) -> Place | None:
    """Where the last `most` lines that fit begin (None: all of them); None without any file."""
    files = day_files(folder)
    if not files:
        return None
    if most is None and sought.since is None:
        return Place(files[0], 0)
    place = Place(files[-1], files[-1].stat().st_size)
    if most == 0:
        return place
    earliest = "" if sought.since is None else stamp(sought.since)
    for path in reversed(files):
        for offset, data in _backwards(path):
            if earliest and _newest(data) < earliest:
                return place
            place = Place(path, offset)
            if most is None:
                continue
            found = [start for start, _ in sought.pieces(data)]
            if len(found) >= most:
                return Place(path, offset + found[-most])
            most -= len(found)
    return place


def day_files(folder: Path) -> list[Path]:
    """Those there are, the oldest day first."""
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Path(folder, name) for name in names if _is_day_file(name)]


def _is_day_file(name: str) -> bool:
    try:
        return name == file_name(date.fromisoformat(name[-14:-4]))
    except ValueError:
        return False


def _newest(data: bytes) -> str:
    """The stamp of the last line; one that cannot be read is as new as can be."""
    end = len(data)
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        if begins(data, start):
            line = parse(data[start:end].removesuffix(b"\n"))
            return line.stamp if line is not None else "~"
        end = start
    return "~"


def _backwards(path: Path) -> Iterator[tuple[int, bytes]]:
    """Pieces of a file with their offsets, the last first; each begins with a line."""
    with path.open("rb") as file:
        offset = file.seek(0, os.SEEK_END)
        rest = b""
        while offset > 0:
            size = min(BLOCK, offset)
            offset -= size
            file.seek(offset)
            data = file.read(size) + rest
            first = 0 if offset == 0 or len(data) > _NOBODYS_MOST else _first(data)
            rest = data[:first]
            if first < len(data):
                yield offset + first, data[first:]


def _first(data: bytes) -> int:
    """Where the first line begins that is whole; the length where none does."""
    at = data.find(b"\n") + 1
    while at and not begins(data, at):
        at = data.find(b"\n", at) + 1
    return at or len(data)


class Reader:
    """Reads what fits from a place on; what is written later is read by the next call.

    Like `tail -F` it goes on in the file of the next day, in one that was put in its place, and at
    the start of one that was cut.
    """

    def __init__(self, folder: Path, place: Place | None, sought: Sought) -> None:
        self._folder = folder
        self._sought = sought
        self._open: list[_DayFile] = []
        self._fitted = False
        """Whether what was read last did: lines below it that are nobody's go with it."""
        if place is not None:
            self._open.append(_DayFile(place.path, place.offset))

    def read(self) -> Iterator[bytes]:
        """Whole lines, each piece with those below it that are not the log's own."""
        self._find_new()
        for file in self._open:
            for data in file.read():
                yield from self._pieces(data)
        # Who was about to write at midnight may still write to the file of the day before.
        for file in self._open[:-2]:
            file.close()
        del self._open[:-2]

    def close(self) -> None:
        """Give the descriptors back."""
        for file in self._open:
            file.close()

    def _find_new(self) -> None:
        last = self._open[-1].path.name if self._open else ""
        newer = (path for path in day_files(self._folder) if path.name > last)
        self._open += [_DayFile(path, 0) for path in newer]

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        first = 0 if begins(data, 0) else _first(data)
        if first and self._fitted:
            yield data[:first]
        if first == len(data):
            return
        self._fitted = False
        for start, end in self._sought.pieces(data):
            yield data[start:end]
            self._fitted = end == len(data)


class _DayFile:
    """One file, read forward."""

    def __init__(self, path: Path, offset: int) -> None:
        self.path = path
        self._offset = offset
        self._descriptor = -1

    def read(self) -> Iterator[bytes]:
        """Whole lines up to the end of what there is now."""
        if self._descriptor >= 0 and not self._in_place():
            # What was still written to the one that was moved away comes first.
            yield from self._blocks()
            self.close()
            self._offset = 0
        if self._descriptor < 0:
            with suppress(FileNotFoundError):
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        if self._descriptor >= 0:
            if os.fstat(self._descriptor).st_size < self._offset:
                self._offset = 0
            yield from self._blocks()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _in_place(self) -> bool:
        try:
            there, here = self.path.stat(), os.fstat(self._descriptor)
        except FileNotFoundError:
            # Moved away, and nothing was written since.
            return True
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def _blocks(self) -> Iterator[bytes]:
        rest = b""
        while block := os.pread(self._descriptor, BLOCK, self._offset + len(rest)):
            data = rest + block
            end = data.rfind(b"\n") + 1
            if not end and len(data) > _NOBODYS_MOST:
                end = len(data)
            rest = data[end:]
            if end:
                # First: whoever takes a piece may never ask for the next.
                self._offset += end
                yield data[:end]
