"""The command `fashionai serve`, whose code is fashionai/cli/serve.py."""
import sys

from fashionai.cli.serve import main

if __name__ == '__main__':
    sys.exit(main())
