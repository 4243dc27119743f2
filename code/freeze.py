"""The command `fashionai freeze`, whose code is fashionai/cli/freeze.py."""
import sys

from fashionai.cli.freeze import main

if __name__ == '__main__':
    sys.exit(main())
