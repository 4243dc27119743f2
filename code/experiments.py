"""The command `fashionai experiments`, whose code is fashionai/cli/experiments.py."""
import sys

from fashionai.cli.experiments import main

if __name__ == '__main__':
    sys.exit(main())
