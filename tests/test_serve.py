"""serve.py from the command line: a network on disk to answers over HTTP; what it says where it cannot start."""
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
import serve
import tensorflow.compat.v1 as tf

from fashionai.garments import GARMENTS
from fashionai.networks.contract import INPUT_NAME, OUTPUT_NAME

CODE = Path(serve.__file__).parent
MODERN = sys.version_info >= (3, 10)


def write_graph(path: Path) -> Path:
    """Blue answers for the left end of a waistband."""
    joint = GARMENTS.joint
    kernel = np.zeros((8, 8, 3, joint.num_heatmaps + joint.num_fields), np.float32)
    kernel[:, :, 0, joint.keypoints.index('waistband_left')] = 1 / 255 / 64
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def check_service(graph: Path, finish: Callable) -> None:
    """Start it, ask for a skirt's points, start another at its port, and end it."""
    command = [sys.executable, str(CODE / 'serve.py'), '--port', '0', '--modelpath', str(graph), '--inputsize', '64',
               '--resolution', '64x64', '--scales', '[1.0]', '--no-flip']
    quiet = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'}
    service = subprocess.Popen(command, stderr=subprocess.PIPE, env=quiet, universal_newlines=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # some jobs ignore it
    try:
        line = next((line for line in service.stderr if 'serving' in line), 'it ended')
        image = np.zeros((64, 64, 3), np.uint8)
        image[24:32, 16:24, 0] = 255  # one cell, its middle 27.5 down and 19.5 across
        address = re.search(r'http://127\.0\.0\.1:(\d+)', line)
        assert address, line
        body = cv2.imencode('.png', image)[1].tobytes()
        with urlopen(f'{address.group()}/predict?tag=skirt', body, timeout=60) as response:
            point = json.load(response)['keypoints']['waistband_left']
        assert point['found'] and (point['x'], point['y']) == pytest.approx((19.5, 27.5), abs=1)
        refused = finish(serve.main, '--modelpath', graph, '--port', address.group(1), code=1)
        assert f'cannot listen at 127.0.0.1, port {address.group(1)}' in refused and '--port' in refused
        assert 'port must be 0-65535' in finish(serve.main, '--modelpath', graph, '--port', 99999, code=1)
        service.send_signal(signal.SIGINT)
        assert service.wait(20) == 130, 'interrupted'
    finally:
        service.kill()
        service.stderr.close()


def test_a_network_is_served(tmp_path: Path, finish: Callable) -> None:
    """On the older stack it says what it needs."""
    graph = write_graph(tmp_path / 'graph.pb')
    if MODERN:
        check_service(graph, finish)
    else:
        assert 'needs Python 3.10 or newer' in finish(serve.main, '--modelpath', graph, code=1)


def test_missing_packages_are_named(finish: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, 'find_spec', lambda name: None)
    monkeypatch.setattr(serve.sys, 'version_info', (3, 11))
    assert 'requirements-serve.txt' in finish(serve.main, code=1)
