"""What entry points have in common, seen from outside."""
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Callable

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


@pytest.mark.parametrize('name', ['train', 'send_batches', 'browse', 'run', 'classify', 'draw', 'evaluate', 'export'])
def test_all_that_read_pictures_by_their_ids_can_be_told_to_read_them_anywhere(finish: Callable[..., str],
                                                                             name: str) -> None:
    assert '--allow-outside' in finish(importlib.import_module(name).main, '--help')
