"""What ``python -m gosset`` does: the same as the command ``gosset``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
