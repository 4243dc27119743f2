"""The command `fashionai draw`, whose code is fashionai/cli/draw.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('draw'))
