"""The command `fashionai export`, whose code is fashionai/cli/export.py."""
import sys

from fashionai.cli.export import main

if __name__ == '__main__':
    sys.exit(main())
