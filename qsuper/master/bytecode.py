"""Compiled modules that may be older than their source, although they look new.

Python takes a `.pyc` for that of a source whose time, in whole seconds, and size it notes. A module
that is changed twice within a second and keeps its size would go on as its first version, in every
child and for ever: deploys do write that fast.
"""

import os
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any


class _Loader(SourceFileLoader):
    """Python's own, but for a `.pyc` that was written in the second of its source's last change,
    as git does with its index: it is removed, and what the source says now is compiled."""

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        # An OSError from here means to Python: the source counts, and nothing is kept of it.
        stats = super().path_stats(path)
        with suppress(FileNotFoundError, NotImplementedError):
            compiled = Path(cache_from_source(os.fspath(path)))
            if int(compiled.stat().st_mtime) <= int(stats["mtime"]):
                compiled.unlink()
        return stats


def distrust() -> None:
    """From now on this process, and all it forks, import modules in this way."""
    if _hook in sys.path_hooks:
        return
    # Before Python's own, which takes any folder, too; what is no folder is left to the others.
    sys.path_hooks.insert(0, _hook)
    sys.path_importer_cache.clear()


def _hook(path: str) -> Any:
    # What is installed there was not written by hand, and is compiled by who may write there: a
    # daemon that may not would compile it all anew at each start.
    if any(path == folder or path.startswith(folder + os.sep) for folder in _LIBRARIES):
        raise ImportError
    return _finder(path)


_LIBRARIES = frozenset(
    sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")
)
_finder = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Loader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
