"""`python -m qsuper`."""

import sys

from qsuper.cli import main

if __name__ == "__main__":
    sys.exit(main())
