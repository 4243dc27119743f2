"""The command `fashionai evaluate`, whose code is fashionai/cli/evaluate.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('evaluate'))
