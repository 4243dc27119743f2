"""The command `fashionai predict-many`, whose code is fashionai/cli/predict_many.py."""
import sys

from fashionai.cli.predict_many import main

if __name__ == '__main__':
    sys.exit(main())
