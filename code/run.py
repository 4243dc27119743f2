"""The command `fashionai run`, whose code is fashionai/cli/run.py."""
import sys

from fashionai.cli.run import main

if __name__ == '__main__':
    sys.exit(main())
