"""The command `fashionai classify`, whose code is fashionai/cli/classify.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('classify'))
