"""serve.py from the command line: a network is served over HTTP; messages if it cannot start."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Sequence
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.cli import serve
from fashionai.garments.table import GARMENTS
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME

CODE = Path(__file__).resolve().parents[1] / 'code'
START_SECONDS = 120
MODERN = sys.version_info >= (3, 10)


def write_graph(path: Path) -> Path:
    """Writes a graph that responds to blue with the left end of a waistband."""
    joint = GARMENTS.joint
    kernel = np.zeros((8, 8, 3, joint.num_heatmaps + joint.num_fields), np.float32)
    kernel[:, :, 0, joint.keypoints.index('waistband_left')] = 1 / 255 / 64
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def status_of(url: str, **headers: str) -> int:
    """The status of an answer; 0 if nobody listens."""
    try:
        with urlopen(Request(url, headers=headers), timeout=60) as response:
            return response.status
    except HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0


def first_status(url: str) -> int:
    """The first status of a service that is being started; 0 if none comes in START_SECONDS."""
    latest = time.monotonic() + START_SECONDS
    while not status_of(url) and time.monotonic() < latest:
        time.sleep(0.02)
    return status_of(url)


def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as door:
        return door.getsockname()[1]


def check_service(graph: Path, finish: Callable) -> None:
    """Starts the service, asks for a skirt's points, starts another at its port, and ends it."""
    port = free_port()
    address = f'http://127.0.0.1:{port}'
    command = [sys.executable, str(CODE / 'serve.py'), '--port', str(port), '--modelpath', str(graph),
               '--inputsize', '64', '--resolution', '64x64', '--scales', '[1.0]', '--no-flip',
               '--hosts', 'shop.example, other.example']
    quiet = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'}
    service = subprocess.Popen(command, stderr=subprocess.PIPE, env=quiet, universal_newlines=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # some jobs ignore it
    try:
        assert first_status(f'{address}/ready') == 503 and status_of(f'{address}/health') == 200, 'it is loading'
        line = next((line for line in service.stderr if 'serving' in line), 'it ended')
        assert address in line and status_of(f'{address}/ready') == 200
        hosts = {name: status_of(f'{address}/health', Host=name) for name in ('other.example:80', 'evil.example')}
        assert hosts == {'other.example:80': 200, 'evil.example': 400}
        image = np.zeros((64, 64, 3), np.uint8)
        image[24:32, 16:24, 0] = 255  # one cell, its middle 27.5 down and 19.5 across
        body = cv2.imencode('.png', image)[1].tobytes()
        with urlopen(f'{address}/predict?tag=skirt', body, timeout=60) as response:
            point = json.load(response)['keypoints']['waistband_left']
        assert point['found'] and (point['x'], point['y']) == pytest.approx((19.5, 27.5), abs=1)
        refused = finish(serve.main, '--modelpath', graph, '--port', port, code=1)
        assert '127.0.0.1' in refused and str(port) in refused and '--port' in refused
        assert '99999' in finish(serve.main, '--modelpath', graph, '--port', 99999, code=1)
        service.send_signal(signal.SIGINT)
        assert service.wait(20) == 130, 'interrupted'
    finally:
        service.kill()
        service.stderr.close()


def test_a_network_is_served(tmp_path: Path, finish: Callable) -> None:
    """On the older stack, the message names the Python that the service needs."""
    graph = write_graph(tmp_path / 'graph.pb')
    if MODERN:
        check_service(graph, finish)
    else:
        assert 'Python 3.10' in finish(serve.main, '--modelpath', graph, code=1)


@pytest.mark.skipif(not MODERN, reason='the service wants Python 3.10')
def test_a_graph_that_cannot_be_loaded_ends_it(tmp_path: Path, finish: Callable) -> None:
    (tmp_path / 'graph.pb').write_bytes(b'no graph')
    assert 'graph.pb' in finish(serve.main, '--modelpath', tmp_path / 'graph.pb', '--port', 0, code=1)


def test_missing_packages_are_named(finish: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, 'find_spec', lambda name: None)
    monkeypatch.setattr(serve.sys, 'version_info', (3, 11))
    assert 'requirements-serve.txt' in finish(serve.main, code=1)


@pytest.mark.skipif(not MODERN, reason='the service wants Python 3.10')
@pytest.mark.parametrize('flags, code, named', [
    (('--processes', '0'), 2, '--processes'), (('--processes', '2.5'), 2, '--processes'),
    (('--pictures', '0'), 2, '--pictures'), (('--seconds', 'nan'), 1, 'seconds'),
    (('--megabytes', '-1'), 1, 'megabytes'),
    (('--origins', 'shop.example'), 1, 'shop.example'), (('--origins', 'https://a/b'), 1, 'https://a/b'),
    (('--access-log', 'none/access.log'), 1, 'none/access.log'), (('--tag', 'hat'), 1, 'hat')])
def test_bad_flags_are_one_line(finish: Callable, flags: Sequence[str], code: int, named: str) -> None:
    said = finish(serve.main, '--port', 0, *flags, code=code)
    assert named in said.splitlines()[-1] and 'Traceback' not in said
