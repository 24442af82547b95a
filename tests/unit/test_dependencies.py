import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = {"dev": list(EXTRAS), "demo": ["demo", "embedded"]}


def asked_for(extras: list[str]) -> dict[str, Requirement]:
    """Return what pyproject.toml asks for with `extras`, by name."""
    lines = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    wanted = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    wanted.pop(canonicalize_name("qsuper"), None)
    return {str(name): requirement for name, requirement in wanted.items()}


def locked(lock: str) -> dict[str, str]:
    """Return the versions that a lock pins, by name."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", text, re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_that_the_project_asks_for(lock: str) -> None:
    pins = locked(lock)
    for name, requirement in asked_for(LOCKS[lock]).items():
        assert name in pins, f"{name} is not in requirements/{lock}.txt: run scripts/lock"
        assert requirement.specifier.contains(pins[name]), f"{requirement} against {pins[name]}"


def test_the_demo_runs_on_the_versions_that_are_tested() -> None:
    assert locked("demo").items() <= locked("dev").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_hash_for_each_pin_and_names_no_host(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    for pin in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in pin, pin
    assert "://" not in text


def test_each_dependency_earns_its_place_in_the_decisions() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()
    named = {canonicalize_name(name) for name in re.findall(r"\*\*([\w-]+)\*\*", page)}
    assert named == set(asked_for(list(EXTRAS)))
