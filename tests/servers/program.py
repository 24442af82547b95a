"""Finding what has to be installed: a missing server is a failure, never a skipped test."""

import os
import shutil

# Where distributions put servers, and where an ordinary user's PATH does not look.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class ProgramMissing(Exception):
    """None of the programs is installed."""


def find_program(*names: str) -> str:
    """Return the path of the first of `names` that is installed; raises ProgramMissing."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise ProgramMissing(f"{' or '.join(names)} is not installed; scripts/test installs it")
