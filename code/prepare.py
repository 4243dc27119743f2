"""The command `fashionai prepare`, whose code is fashionai/cli/prepare.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('prepare'))
