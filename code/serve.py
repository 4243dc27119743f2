"""The command `fashionai serve`, whose code is fashionai/cli/serve.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('serve'))
