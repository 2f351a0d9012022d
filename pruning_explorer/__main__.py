"""``python -m pruning_explorer``: the same as the pages, in a terminal."""

import sys

from pruning_explorer.cli import main

if __name__ == "__main__":
    sys.exit(main())
