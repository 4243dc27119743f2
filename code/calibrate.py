"""The command `fashionai calibrate`, whose code is fashionai/cli/calibrate.py."""
import sys

from fashionai.cli.calibrate import main

if __name__ == '__main__':
    sys.exit(main())
