"""The command `fashionai marker`, whose code is fashionai/cli/marker.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('marker'))
