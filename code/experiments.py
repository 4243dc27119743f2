"""The command `fashionai experiments`, whose code is fashionai/cli/experiments.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('experiments'))
