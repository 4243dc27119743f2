"""Programs that are killed at any moment lose nothing: runs interruptions.py in a process that may fork."""
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork')
def test_run_and_predict_are_killed_and_lose_nothing() -> None:
    done = subprocess.run([sys.executable, str(Path(__file__).with_name('interruptions.py')), '--rounds', '2'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout.decode()
    assert done.stdout.count(b'2 of 2 the same in the end') == 2 * 6, done.stdout.decode()
