"""`python -m ebmlang` is the command `ebm`."""

import sys

from ebmlang.cli.main import run_process

if __name__ == "__main__":
    sys.exit(run_process())
