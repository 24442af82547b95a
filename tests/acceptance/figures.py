"""What a test has measured: printed, and kept where the guarantees' figures are taken from."""

import os
from pathlib import Path

VARIABLE = "QSUPER_TEST_FIGURES"
"""Names the file to which the figures are appended."""


class Figures:
    """The figures of one test."""

    def __init__(self, test: str) -> None:
        self._test = test

    def __call__(self, **values: object) -> None:
        """Say what was found: `figures(kills=100, lost=0)`."""
        line = f"{self._test}: " + ", ".join(
            f"{name.replace('_', ' ')} {_rounded(value)}" for name, value in values.items()
        )
        print(line)
        if path := os.environ.get(VARIABLE):
            with Path(path).open("a") as file:
                file.write(line + "\n")


def _rounded(value: object) -> object:
    return f"{value:.3g}" if isinstance(value, float) else value
