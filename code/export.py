"""The command `fashionai export`, whose code is fashionai/cli/export.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('export'))
