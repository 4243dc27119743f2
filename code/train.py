"""The command `fashionai train`, whose code is fashionai/cli/train.py."""
import sys

from fashionai.cli.train import main

if __name__ == '__main__':
    sys.exit(main())
