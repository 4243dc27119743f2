"""The command `fashionai predict`, whose code is fashionai/cli/predict.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('predict'))
