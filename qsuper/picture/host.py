"""What /proc says of a process."""

from pathlib import Path

_STARTED = 19
"""Field 22 of /proc/PID/stat, counted from 0 behind the command."""


class Host:
    """This host, or another folder in the shape of its /proc."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    @property
    def boot_id(self) -> str:
        """Another one after each boot; pids of an earlier boot mean nothing."""
        return (self._proc / "sys/kernel/random/boot_id").read_text().strip()

    def lives(self, pid: int, ticks: int) -> bool:
        """Whether exactly this process lives: its pid may be another's by now."""
        try:
            stat = (self._proc / str(pid) / "stat").read_bytes()
        except OSError:
            return False
        # The command stands in parentheses and may hold spaces and parentheses itself.
        fields = stat[stat.rindex(b")") + 2 :].split()
        return int(fields[_STARTED]) == ticks and fields[0] not in b"ZX"

    def memory(self, pid: int) -> int | None:
        """Bytes of memory, its share of what it shares (PSS); None where the kernel does not say.

        None also for another user's process.
        """
        try:
            rollup = (self._proc / str(pid) / "smaps_rollup").read_text()
        except OSError:
            return None
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return None
