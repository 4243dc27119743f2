"""The command `fashionai predict-many`, whose code is fashionai/cli/predict_many.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('predict_many'))
