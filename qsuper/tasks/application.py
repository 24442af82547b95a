"""The application: imported in each child after the fork, so that a reload loads new code."""

import importlib
import sys
from pathlib import Path

from qsuper.errors import AppError
from qsuper.tasks.registry import Registry


def load(app: str | None, folder: Path) -> Registry:
    """The registry of `module:attribute`; an empty one when there is no app.

    `folder` (where the configuration lies) is importable, as with any `python -m`. Whatever the
    import raises becomes an `AppError` with its own words.
    """
    if app is None:
        return Registry()
    module_name, _, attribute = app.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise AppError(
            f"app = {app!r}: importing {module_name} failed: {type(error).__name__}: {error}"
        ) from error
    registry = getattr(getattr(module, attribute or "queue", None), "registry", None)
    if not isinstance(registry, Registry):
        raise AppError(f"app = {app!r}: {module_name} has no Queue named {attribute or 'queue'!r}")
    return registry
