"""The application: imported in each child after the fork, so that a reload loads new code."""

import importlib
import sys
import traceback

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
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise AppError(
            f"app = {app!r}: importing {module_name} failed{_place(error)}: {what}"
        ) from error
    queue = getattr(module, attribute or "queue", None)
    registry = getattr(queue, "registry", None)
    if queue is None or not isinstance(registry, Registry):
        where = module.__file__ or module_name
        raise AppError(f"app = {app!r}: {where} has no Queue named {attribute or 'queue'!r}")
    # What its tasks enqueue belongs where they run, from whatever folder that is.
    queue.configure(config)
    return registry


def _place(error: BaseException) -> str:
    """` at shop.py:12`, where it was raised; empty when that is the import of the module itself."""
    if isinstance(error, SyntaxError):
        return f" at {error.filename}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and "importlib" not in frame.filename
    ]
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
