"""A MariaDB whose clock can be set, while that of the host goes on."""

from pathlib import Path

from tests.servers.mariadb import MariaDB
from tests.servers.program import ProgramMissing, find_program

_FOLDERS = (Path("/usr/lib"), Path("/usr/local/lib"))


class ShiftedMariaDB(MariaDB):
    """Its time of day is that of the host and a shift of whole seconds."""

    def __init__(self, template: Path, **options: object) -> None:
        super().__init__(template, **options)
        self._file = self.folder / "shift"
        self.shift(0)

    def shift(self, seconds: int) -> None:
        """Set the clock, for all that the server does from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.rename(self._file)

    def command(self) -> list[str]:
        return [
            find_program("env"),
            f"LD_PRELOAD={find_library()}",
            f"FAKETIME_TIMESTAMP_FILE={self._file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            *super().command(),
        ]


def find_library() -> Path:
    """libfaketime, for programs with threads; raises `ProgramMissing`."""
    for folder in _FOLDERS:
        for found in folder.glob("**/libfaketimeMT.so.1"):
            return found
    raise ProgramMissing("libfaketime is not installed; scripts/test installs it")
