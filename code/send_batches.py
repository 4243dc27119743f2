"""The command `fashionai send-batches`, whose code is fashionai/cli/send_batches.py."""
import sys

from fashionai.cli.send_batches import main

if __name__ == '__main__':
    sys.exit(main())
