"""setup.sh: which interpreter an environment is made of, and what drivers say of themselves."""
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SETUP = PROJECT / 'code/setup.sh'


def test_an_activated_environment_names_the_interpreter_that_it_was_made_of(tmp_path: Path) -> None:
    """Otherwise a driver would make .venv anew, by the python inside it, whenever it is activated."""
    venv.create(str(tmp_path), symlinks=True)
    search = os.pathsep.join([str(tmp_path / 'bin'), os.environ['PATH']])
    found = subprocess.run(['bash', '-c', f'source "{SETUP}"; find_python'], stdout=subprocess.PIPE, check=True,
                           env={**os.environ, 'PATH': search, 'PYTHON': 'python'})
    assert Path(found.stdout.decode().strip()) == Path(sys.executable).resolve()


@pytest.mark.parametrize('driver', ['begin_to_demo.sh', 'begin_to_train_all.sh'])
def test_a_driver_that_is_asked_for_help_does_nothing_else(driver: str) -> None:
    said = subprocess.run([str(PROJECT / driver), '--help'], stdout=subprocess.PIPE, check=True, timeout=20)
    assert f'./{driver}' in said.stdout.decode() and 'set -euo' not in said.stdout.decode()
