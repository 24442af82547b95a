"""`python -m reference [FOLDER]`: write every page of the reference."""

import sys
from pathlib import Path

from reference import PAGES

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (folder / name).write_text(render())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
