"""The command `fashionai calibrate`, whose code is fashionai/cli/calibrate.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('calibrate'))
