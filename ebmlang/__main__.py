"""`python -m ebmlang` is the command `ebm`."""

import sys

from ebmlang.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
