"""The Python of one page: runs its blocks one after the other, in one namespace.

A program of its own, in the page's folder, so that what a block imports, forks or breaks is the
page's alone. Reads a JSON line for each block, answers with one.
"""

import json
import linecache
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a block prints is not an answer
    sys.path[0] = str(Path.cwd())
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for line in sys.stdin:
        block = json.loads(line)
        error = None
        try:
            if "scene" in block:
                namespace |= runpy.run_path(block["scene"])
            else:
                _run(block, namespace)
        except BaseException:
            error = traceback.format_exc()
        answers.write(json.dumps({"error": error}) + "\n")
        answers.flush()


def _run(block: dict[str, Any], namespace: dict[str, Any]) -> None:
    # So many empty lines that a traceback names the page's line.
    source = "\n" * (block["line"] - 1) + block["source"]
    name = block["page"]
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace["__file__"] = str(Path.cwd() / (block["file"] or "page.py"))
    exec(compile(source, name, "exec"), namespace)


if __name__ == "__main__":
    main()
