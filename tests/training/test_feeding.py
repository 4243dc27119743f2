"""The queue of batches: it raises errors at once, and its end leaves no threads or processes.

A process that ends badly, or is killed, is forked from one that has loaded everything.
"""
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.flow import TrainingFlow
from fashionai.dataflow.remote import ReceivedBatches
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.training.feeding import BatchQueue

SKIRT = GARMENTS['skirt']


class SlowEncoder(SampleEncoder):
    """An encoder that needs more time for a sample than a step needs for a batch."""

    def __call__(self, key):
        time.sleep(0.02)
        return super().__call__(key)


class FaultyEncoder(SampleEncoder):
    """An encoder with a programming error."""

    def __call__(self, key):
        return [][3]


def encoder_in(folder, kind=SampleEncoder):
    keypoints = np.full((4, 24, 3), -1, np.int32)
    keypoints[:, SKIRT.csv_indices] = [[30, 20, 1], [70, 20, 1], [20, 90, 0], [80, 90, 1]]
    cv2.imwrite(str(folder / '0.png'), np.full((110, 100, 3), 99, np.uint8))
    rows = Annotations(('0.png',) * 4, ('skirt',) * 4, keypoints, 'test')
    return kind(rows, folder, SKIRT, InputShape((32, 32), 8), seed=3)


def alive(process):
    """Returns whether a process runs. A process that has ended, but whose exit code was not read, does not run."""
    try:
        return Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def comes_true(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize('workers', [0, 1, 2])
def test_the_end_leaves_no_thread_and_no_process(tmp_path, workers):
    before = set(multiprocessing.active_children())
    queue = BatchQueue(TrainingFlow(encoder_in(tmp_path, SlowEncoder), 4, workers))
    with queue:
        assert queue.get()[0].shape == (4, 32, 32, 3)
        started = set(multiprocessing.active_children()) - before
        assert len(started) == workers
    assert not queue._thread.is_alive()
    assert not any(alive(process.pid) for process in started)


def test_a_full_queue_ends_too(tmp_path):
    queue = BatchQueue(TrainingFlow(encoder_in(tmp_path), 1, 0), capacity=2)
    with queue:
        assert comes_true(lambda: queue.fill == 2)
    assert not queue._thread.is_alive()


def test_a_stream_to_which_nobody_sends_ends_too():
    queue = BatchQueue(ReceivedBatches('tcp://127.0.0.1:*', [(1, 32, 32, 3)]))
    with queue:
        time.sleep(0.1)
    assert not queue._thread.is_alive()


def test_a_worker_that_dies_is_named_within_seconds(tmp_path):
    """The other worker makes enough samples."""
    before = set(multiprocessing.active_children())
    with BatchQueue(TrainingFlow(encoder_in(tmp_path), 2, 2)) as queue:
        queue.get()
        victim = min(process.pid for process in set(multiprocessing.active_children()) - before)
        os.kill(victim, signal.SIGKILL)
        killed_at = time.monotonic()
        with pytest.raises(InputError, match=rf'worker [12] of 2, process {victim}, .*SIGKILL.*--workers'):
            while True:
                queue.get()
        assert time.monotonic() - killed_at < 10


def test_a_worker_that_dies_at_once_is_named(tmp_path, monkeypatch):
    """No worker is left that could take the keys of the first samples."""
    monkeypatch.setattr('fashionai.dataflow.workers._Worker.run', lambda self: os._exit(3))
    with pytest.raises(InputError, match='worker 1 of 1, process [0-9]+, ended with exit code 3'):
        with BatchQueue(TrainingFlow(encoder_in(tmp_path), 2, 1)) as queue:
            queue.get()


@pytest.mark.parametrize('workers', [0, 1])
def test_what_stops_the_stream_goes_before_the_batches_that_are_ready(tmp_path, workers):
    (tmp_path / 'bad.png').write_bytes(b'not a picture')
    encoder = encoder_in(tmp_path)
    rows = replace(encoder.annotations, image_ids=('0.png', '0.png', '0.png', 'bad.png'))
    with BatchQueue(TrainingFlow(replace(encoder, annotations=rows), 1, workers)) as queue:
        assert comes_true(lambda: queue._failure)
        with pytest.raises(InputError, match=r'bad\.png'):
            queue.get()


def test_a_fault_of_the_program_in_a_worker_is_one_in_the_trainer(tmp_path):
    with BatchQueue(TrainingFlow(encoder_in(tmp_path, FaultyEncoder), 1, 1)) as queue:
        with pytest.raises(RuntimeError, match=r'(?s)row [0-3]\b.*Traceback.*IndexError'):
            queue.get()


SETUP = """
import faulthandler, os, signal, sys
sys.modules['tensorflow'] = None  # takes long to load, and to leave
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from test_feeding import BatchQueue, SlowEncoder, TrainingFlow, encoder_in

def fork(function):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    faulthandler.dump_traceback_later(60, exit=True)
    function()
    sys.exit()

encoder = encoder_in(Path(sys.argv[3]), SlowEncoder)
"""


def forking(folder, body):
    """The output of a program that has this module loaded; `fork(function)` in its body gives the exit code of a
    process that calls the function and then ends as programs do."""
    here = Path(__file__)
    arguments = [sys.executable, '-c', SETUP + body, str(here.parent), str(here.parents[2] / 'code'), str(folder)]
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300).stdout.decode()


def test_a_process_whose_batches_are_slower_than_its_steps_ends_well(tmp_path):
    """When the block ends, the thread that fills the queue is waiting for a sample."""
    output = forking(tmp_path, """
def train(workers):
    with BatchQueue(TrainingFlow(encoder, 4, workers)) as queue:
        queue.get()

for workers in (0, 1, 2):
    print(workers, [fork(lambda: train(workers)) for _ in range(8)])
""")
    assert [f'{workers} {[0] * 8}' in output for workers in (0, 1, 2)] == [True] * 3, output


def test_no_worker_outlives_a_trainer_that_is_killed(tmp_path):
    """Without python-prctl, with it, and under nohup, which ignores its signal."""
    output = forking(tmp_path, """
def killed(way):
    if way == 'without':
        sys.modules['prctl'] = None
    if way == 'nohup':
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with BatchQueue(TrainingFlow(encoder, 4, 2)) as queue:
        queue.get()
        print('workers of', way, *[worker.pid for worker in queue._stream._pool._procs], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

for way in ('without', 'with', 'nohup'):
    fork(lambda: killed(way))
""")
    told = [line.split()[2:] for line in output.splitlines() if line.startswith('workers of')]
    assert [way for way, *_ in told] == ['without', 'with', 'nohup'], output
    workers = [int(process) for _, *processes in told for process in processes]
    assert len(workers) == 6
    assert comes_true(lambda: not any(map(alive, workers)))
