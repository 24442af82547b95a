"""The page about the dashboard knows what there is."""

from pathlib import Path

import pytest

from qsuper.roles.web.actions import ACTIONS, Action
from qsuper.roles.web.reading import READINGS
from tests.acceptance.daemon import TOP

PAGE = Path(TOP, "docs", "dashboard.md").read_text()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_each_action_is_told(action: Action) -> None:
    assert f"`{action.name}`" in PAGE
    for field in action.takes:
        assert f"`{field}`" in PAGE


@pytest.mark.parametrize("path", READINGS)
def test_each_reading_is_told(path: str) -> None:
    assert f"`{path.replace('{id}', 'ID')}`" in PAGE
