"""What entry points have in common, seen from outside."""
import argparse
import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

from fashionai.cli.entry_point import guarded
from fashionai.errors import InputError
from fashionai.option_group import at_least, size_hw

PROGRAM = """
import sys
sys.path.insert(0, {code!r})
from fashionai.cli.entry_point import guarded
from fashionai.option_group import at_least, size_hw

@guarded
def main(argv=None):
    print('x' * {length})
    return 0

sys.exit(main())
"""
CODE = str(Path(__file__).resolve().parents[2] / 'code')


@pytest.mark.parametrize('length', [10, 1000000])
def test_a_reader_that_has_seen_enough_is_no_error(length: int) -> None:
    """As in `evaluate.py ... | head -1`."""
    program = subprocess.Popen([sys.executable, '-c', PROGRAM.format(code=CODE, length=length)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    program.stdout.close()
    assert program.stderr.read() == b'' and program.wait(60) == 1
    program.stderr.close()


def _raising(error: Exception) -> Callable[..., int]:
    @guarded
    def main(argv: object = None) -> int:
        raise error
    return main


def test_bad_input_is_one_line(finish: Callable[..., str]) -> None:
    said = finish(_raising(InputError('list.csv, line 3: 4 cells, wanted 26')), code=1)
    assert said == 'error: list.csv, line 3: 4 cells, wanted 26\n'


def test_a_message_of_several_lines_stays_as_it_is(finish: Callable[..., str]) -> None:
    assert finish(_raising(InputError('list.csv:\n  line 3\n  line 5')), code=1).count('\n') == 3


@pytest.mark.parametrize('error', [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/data/points.csv'),
    PermissionError(errno.EACCES, os.strerror(errno.EACCES), '/data/points.csv'),
    OSError(errno.EXDEV, os.strerror(errno.EXDEV), '/data/points.csv.tmp', None, '/data/points.csv')])
def test_what_the_system_refuses_is_one_line_that_names_the_file(error: OSError, finish: Callable[..., str]) -> None:
    said = finish(_raising(error), code=1)
    assert said.count('\n') == 1 and '/data/points.csv' in said and error.strerror in said


def test_a_fault_of_the_program_is_shown_with_where_it_happened(finish: Callable[..., str]) -> None:
    """NumPy's exceptions are ValueErrors, as InputError is: only the latter is the user's."""
    @guarded
    def main(argv: object = None) -> int:
        np.zeros(3) + np.zeros(4)
        return 0

    said = finish(main, code=70)
    assert 'Traceback' in said and f'{__file__}' in said and 'np.zeros(3) + np.zeros(4)' in said
    assert 'fault of the program' in said.splitlines()[-1]


def test_ctrl_c_ends_without_a_traceback(finish: Callable[..., str]) -> None:
    @guarded
    def main(argv: object = None) -> int:
        raise KeyboardInterrupt

    assert 'Traceback' not in finish(main, code=130)


@pytest.mark.parametrize('text', ['', ' ', '-1', '0', '1.5', '1e3', 'nan', '1_0', '²', '٣', '2147483648', '9' * 5000])
def test_what_is_no_whole_number_is_refused_by_a_flag(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        at_least(1)(text)


def test_whole_numbers_have_bounds() -> None:
    assert at_least(1)('1') == 1 and at_least(-2)('-2') == -2 and at_least(0)('2147483647') == 2147483647
    assert at_least(0, 64)('64') == 64
    with pytest.raises(argparse.ArgumentTypeError, match='64'):
        at_least(0, 64)('65')


@pytest.mark.parametrize('text', ['', 'x', '0', '-1', '1.5', 'nan', '1x2x3', '²', '100000', '1x100000', '9' * 5000])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        size_hw(text)


def test_too_little_memory_is_one_line(finish: Callable[..., str]) -> None:
    said = finish(_raising(MemoryError('Unable to allocate 1.2 TiB')), code=1)
    assert said.count('\n') == 1 and '1.2 TiB' in said
@pytest.mark.parametrize('name', ['train', 'send_batches', 'browse', 'run', 'classify', 'draw', 'evaluate', 'export'])
def test_all_that_read_pictures_by_their_ids_can_be_told_to_read_them_anywhere(finish: Callable[..., str],
                                                                             name: str) -> None:
    assert '--allow-outside' in finish(importlib.import_module(f'fashionai.cli.{name}').main, '--help')
