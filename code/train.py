"""The command `fashionai train`, whose code is fashionai/cli/train.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('train'))
