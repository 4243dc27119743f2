"""The command `fashionai freeze`, whose code is fashionai/cli/freeze.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('freeze'))
