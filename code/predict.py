"""The command `fashionai predict`, whose code is fashionai/cli/predict.py."""
import sys

from fashionai.cli.predict import main

if __name__ == '__main__':
    sys.exit(main())
