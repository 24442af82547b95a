"""Small programs that the tests have run as tasks."""

from pathlib import Path

PROGRAMS = Path(__file__).parent
