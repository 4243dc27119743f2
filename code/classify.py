"""The command `fashionai classify`, whose code is fashionai/cli/classify.py."""
import sys

from fashionai.cli.classify import main

if __name__ == '__main__':
    sys.exit(main())
