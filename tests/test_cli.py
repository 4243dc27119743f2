"""What entry points have in common, seen from outside."""
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.path.insert(0, {code!r})
from fashionai.cli import guarded

@guarded
def main(argv=None):
    print('x' * {length})
    return 0

sys.exit(main())
"""
CODE = str(Path(__file__).resolve().parents[1] / 'code')


@pytest.mark.parametrize('length', [10, 1000000])
def test_a_reader_that_has_seen_enough_is_no_error(length: int) -> None:
    """As in `evaluate.py ... | head -1`."""
    program = subprocess.Popen([sys.executable, '-c', PROGRAM.format(code=CODE, length=length)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    program.stdout.close()
    assert program.stderr.read() == b'' and program.wait(60) == 1
    program.stderr.close()
