"""The command `fashionai label`, whose code is fashionai/cli/label.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('label'))
