"""The application: imported in each child after the fork, so that a reload loads new code."""

import importlib
import sys

from qsuper.config import Config
from qsuper.errors import AppError
from qsuper.tasks.configured import apply
from qsuper.tasks.registry import Registry


def load(config: Config) -> Registry:
    """The registry of `app`, its tasks as the configuration wants them; an empty one when there is
    no app.

    The folder of the configuration is importable, as with any `python -m`. Whatever the import
    raises becomes an `AppError` with its own words.
    """
    registry = Registry() if config.app is None else _import(config.app, config)
    apply(registry, config)
    return registry


def _import(app: str, config: Config) -> Registry:
    folder = config.folder
    module_name, _, attribute = app.partition(":")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise AppError(
            f"app = {app!r}: importing {module_name} failed: {type(error).__name__}: {error}"
        ) from error
    queue = getattr(module, attribute or "queue", None)
    registry = getattr(queue, "registry", None)
    if queue is None or not isinstance(registry, Registry):
        raise AppError(f"app = {app!r}: {module_name} has no Queue named {attribute or 'queue'!r}")
    # What its tasks enqueue belongs where they run, from whatever folder that is.
    queue.configure(config)
    return registry
