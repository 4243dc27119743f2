"""The command `fashionai synthesize`, whose code is fashionai/cli/synthesize.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('synthesize'))
