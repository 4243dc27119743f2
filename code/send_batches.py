"""The command `fashionai send-batches`, whose code is fashionai/cli/send_batches.py."""
import sys

from fashionai.cli.start import start

if __name__ == '__main__':
    sys.exit(start('send_batches'))
