"""The command `fashionai marker`, whose code is fashionai/cli/marker.py."""
import sys

from fashionai.cli.marker import main

if __name__ == '__main__':
    sys.exit(main())
