"""The command `fashionai prepare`, whose code is fashionai/cli/prepare.py."""
import sys

from fashionai.cli.prepare import main

if __name__ == '__main__':
    sys.exit(main())
