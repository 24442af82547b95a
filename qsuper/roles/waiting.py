"""How long this process was ready to run and got no processor.

On a busy host a job of 20 µs may seem to take 50 ms. Who then takes it for a slow one claims its
kind one by one, and makes the host busier.
"""

import os
from contextlib import suppress


class Waiting:
    """Of the main thread, by the kernel's own account; nothing where it keeps none."""

    def __init__(self) -> None:
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._seen = self._read()

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def since(self) -> float:
        """Seconds that it has waited since it was last asked."""
        before, self._seen = self._seen, self._read()
        return self._seen - before

    def _read(self) -> float:
        if self._file is None:
            return 0.0
        # Nanoseconds on a processor, nanoseconds waiting for one, time slices.
        return int(os.pread(self._file, 100, 0).split()[1]) * 1e-9
