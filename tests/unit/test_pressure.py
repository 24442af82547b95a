"""How hard pressed a host is, from files as the kernel writes them."""

from pathlib import Path

import pytest

from qsuper.master.autoscale import pressure
from qsuper.master.autoscale.pressure import Reading, held_back

KERNEL = """some avg10={some} avg60=1.00 avg300=1.00 total=123
full avg10={full} avg60=1.00 avg300=1.00 total=123
"""
MEMORY = "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: {available} kB\nHugePages_Total: 0\n"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "cgroup").mkdir()
    return tmp_path


def look(host: Path, cores: int = 4) -> dict[str, float]:
    readings = pressure.look(host / "proc", host / "cgroup", cores)
    return {one.name: round(one.percent, 3) for one in readings}


def say(path: Path, some: float, full: float = 0.0) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(KERNEL.format(some=some, full=full))


def test_the_kernel_tells_of_processor_memory_and_disks(host: Path) -> None:
    say(host / "proc/pressure/cpu", 41.25)
    say(host / "proc/pressure/memory", 3.0, 2.0)
    say(host / "proc/pressure/io", 60.0, 55.5)
    assert look(host) == {"cpu pressure": 41.25, "memory pressure": 3.0, "io pressure": 55.5}


def test_of_a_container_and_its_host_the_worse_figure_counts(host: Path) -> None:
    say(host / "proc/pressure/cpu", 2.0)
    say(host / "cgroup/cpu.pressure", 70.0)
    assert look(host) == {"cpu pressure": 70.0}
    say(host / "proc/pressure/cpu", 80.0)
    assert look(host) == {"cpu pressure": 80.0}


def test_without_them_load_and_memory_tell(host: Path) -> None:
    (host / "proc/loadavg").write_text("6.00 5.00 4.00 3/400 1234\n")
    (host / "proc/meminfo").write_text(MEMORY.format(available=30))
    assert look(host) == {"load beyond the cores": 50.0, "memory in use": 97.0}
    assert look(host, cores=8)["load beyond the cores"] == 0.0


def test_a_host_that_tells_nothing_holds_nothing_back(host: Path) -> None:
    assert look(host) == {}
    (host / "proc/pressure/cpu").mkdir(parents=True)
    (host / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemFree: 10 kB\n")
    assert look(host) == {}
    (host / "proc/loadavg").write_text("a lot\n")
    assert look(host) == {}
    assert held_back((), 1) == ""


def test_this_host_can_be_asked() -> None:
    assert all(reading.percent >= 0 for reading in pressure.look())


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading("cpu pressure", 40.0), ""),
        (Reading("cpu pressure", 41.2), "cpu pressure 41 % > 40 %"),
        (Reading("memory pressure", 11.0, 0.25), "memory pressure 11 % > 10 %"),
        (Reading("io pressure", 79.0, 2.0), ""),
        (Reading("memory in use", 94.0, 0.05, 93.0), ""),
        (Reading("memory in use", 97.0, 0.05, 93.0), "memory in use 97 % > 95 %"),
    ],
)
def test_each_figure_has_a_bound_of_its_own(reading: Reading, words: str) -> None:
    assert held_back((Reading("io pressure", 1.0), reading), 40) == words
    assert held_back((reading,), pressure.NEVER) == ""


def test_the_worst_figure_is_named() -> None:
    readings = (Reading("cpu pressure", 50.0), Reading("memory pressure", 30.0, 0.25))
    assert held_back(readings, 40) == "memory pressure 30 % > 10 %"
