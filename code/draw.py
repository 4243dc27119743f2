"""The command `fashionai draw`, whose code is fashionai/cli/draw.py."""
import sys

from fashionai.cli.draw import main

if __name__ == '__main__':
    sys.exit(main())
