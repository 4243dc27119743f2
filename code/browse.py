"""The command `fashionai browse`, whose code is fashionai/cli/browse.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('browse'))
