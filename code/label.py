"""The command `fashionai label`, whose code is fashionai/cli/label.py."""
import sys

from fashionai.cli.label import main

if __name__ == '__main__':
    sys.exit(main())
