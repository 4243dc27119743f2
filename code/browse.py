"""The command `fashionai browse`, whose code is fashionai/cli/browse.py."""
import sys

from fashionai.cli.browse import main

if __name__ == '__main__':
    sys.exit(main())
