"""The command `fashionai evaluate`, whose code is fashionai/cli/evaluate.py."""
import sys

from fashionai.cli.evaluate import main

if __name__ == '__main__':
    sys.exit(main())
