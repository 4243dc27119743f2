"""The command `fashionai synthesize`, whose code is fashionai/cli/synthesize.py."""
import sys

from fashionai.cli.synthesize import main

if __name__ == '__main__':
    sys.exit(main())
