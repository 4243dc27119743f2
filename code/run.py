"""The command `fashionai run`, whose code is fashionai/cli/run.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('run'))
