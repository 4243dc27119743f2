"""Files that are whole or not there, JSON, and the lock of an output."""
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fashionai.errors import InputError
from fashionai.files import locked, parse_json, read_json, read_object_if_any, replacing, write_json, write_text

CODE = Path(__file__).resolve().parents[1] / 'code'


def test_a_file_appears_whole_in_a_folder_made_for_it(tmp_path: Path) -> None:
    write_text(tmp_path / 'new' / 'a.txt', 'ä\r\n')
    assert (tmp_path / 'new' / 'a.txt').read_bytes() == 'ä\r\n'.encode()
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['a.txt']


def test_what_fails_half_way_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / 'a.json'
    write_json(path, {'a': 1})
    with pytest.raises(KeyError), replacing(path) as draft:
        draft.write_text('half')
        raise KeyError
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert [left.name for left in tmp_path.iterdir()] == ['a.json']


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught, replacing(tmp_path / 'a.csv') as draft:
        draft.write_text('half')
        raise OSError(errno.ENOSPC, 'No space left on device')
    assert caught.value.filename == str(tmp_path / 'a.csv') and caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from fashionai.files import locked
with locked(sys.argv[2], "run.py"):
    print('held', flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(os.name == 'nt', reason='no flock')
def test_the_lock_is_refused_while_another_process_holds_it_and_free_after_it_was_killed(tmp_path: Path) -> None:
    output = tmp_path / 'submit.csv'
    holder = subprocess.Popen([sys.executable, '-c', HOLD, str(CODE), str(output)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    assert holder.stdout and holder.stdout.readline() == b'held\n'
    with pytest.raises(InputError) as caught, locked(output, 'run.py'):
        pass
    assert str(holder.pid) in str(caught.value) and str(output) in str(caught.value)
    holder.kill()
    holder.wait()
    with locked(output, 'run.py'):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('content, said', [
    (b'', ''), (b'{"a": ', ''), (b'\xff\xfe{}', 'utf-8'), (b'{"a": NaN}', 'NaN'), (b'[-Infinity]', '-Infinity'),
    (b'{"b": {"a": 1, "a": 2}}', "'a'"), (b'[' * 100000 + b']' * 100000, 'deep'),
    (b'{"a":' * 100000 + b'1' + b'}' * 100000, 'deep'), (b'"\\ud800', '')])
def test_what_is_not_json_is_one_line_that_names_the_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / 'labels.json'
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_json(path)
    assert str(path) in str(error.value) and said in str(error.value) and '\n' not in str(error.value)
    assert len(str(error.value)) < 300


def test_json_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / 'a.json').write_bytes(b'\xef\xbb\xbf{"a": [1, 2.5, null]}')
    assert read_json(tmp_path / 'a.json') == {'a': [1, 2.5, None]}


def test_an_object_may_be_missing_and_is_no_other_value(tmp_path: Path) -> None:
    assert read_object_if_any(tmp_path / 'a.json') == {}
    (tmp_path / 'a.json').write_text('{"a": 1}')
    assert read_object_if_any(tmp_path / 'a.json') == {'a': 1}
    (tmp_path / 'a.json').write_text('[1]')
    with pytest.raises(InputError, match=r'a\.json.*list'):
        read_object_if_any(tmp_path / 'a.json')


def test_other_peoples_files_may_say_nan() -> None:
    number, = parse_json(b'[NaN]', 'x', allow_nan=True)
    assert number != number


@pytest.mark.skipif(os.name == 'nt', reason='no flock')
def test_a_child_that_outlives_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    """Such as a data worker whose trainer was killed."""
    script = ('import os, sys, time\nfrom fashionai.files import locked, write_text\nnote = sys.argv[1] + ".child"\n'
              'with locked(sys.argv[1], "train.py"):\n    if not os.fork():\n'
              '        write_text(note, str(os.getpid()))\n        time.sleep(60)\n        os._exit(0)\n'
              '    while not os.path.exists(note):\n        time.sleep(0.01)\n    os._exit(9)\n')
    output = tmp_path / 'run'
    subprocess.run([sys.executable, '-c', script, str(output)], cwd=str(CODE), stdout=subprocess.DEVNULL)
    child = int(Path(f'{output}.child').read_text())
    try:
        os.kill(child, 0)
        with locked(output, 'train.py'):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
