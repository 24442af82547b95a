"""What `pip install qsuper` finds in a page: a wheel of this tree, and no index."""

import csv
import io
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

TOP = Path(__file__).parents[2]


def offer(folder: Path) -> dict[str, str]:
    """Make the wheel in `folder`; the environment in which pip takes it from there, and sees
    everything that the tests have installed as installed."""
    wheels, installed = folder / "wheels", folder / "installed"
    wheels.mkdir()
    _make(wheels)
    installed.mkdir()
    for path in _site_packages():
        for found in path.iterdir():
            if "qsuper" not in found.name and found.suffix != ".pth":
                (installed / found.name).symlink_to(found)
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONPATH": str(installed),
    }


def _site_packages() -> list[Path]:
    return [Path(path) for path in sys.path if Path(path).name == "site-packages"]


def _make(folder: Path) -> None:
    """A wheel by hand, for building one takes half a minute and an index."""
    # The tree may hold the leavings of a build, which know less than what is installed.
    found = next(one for one in distributions(name="qsuper") if one.read_text("METADATA"))
    info = f"qsuper-{found.version}.dist-info"
    names = []
    with zipfile.ZipFile(folder / f"qsuper-{found.version}-py3-none-any.whl", "w") as wheel:
        for path in sorted((TOP / "qsuper").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                names.append(str(path.relative_to(TOP)))
                wheel.write(path, names[-1])
        for name in ("METADATA", "entry_points.txt"):
            wheel.writestr(f"{info}/{name}", found.read_text(name) or "")
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        names += [f"{info}/{name}" for name in ("METADATA", "entry_points.txt", "WHEEL", "RECORD")]
        record = io.StringIO()
        csv.writer(record).writerows([name, "", ""] for name in names)
        wheel.writestr(f"{info}/RECORD", record.getvalue())
