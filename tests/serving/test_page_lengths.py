"""The page computes lengths of corrected points itself, with the same numbers and doubts as the service."""
import json
import shutil
import subprocess
from typing import Any, Callable
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fashionai.garments.measurements import Points, measure
from fashionai.garments.table import GARMENTS
from fashionai.serving.app import PAGE

NODE = shutil.which('node')

pytestmark = pytest.mark.skipif(not NODE, reason="no Node.js to run the page's modules with")


def in_page(cases: Any, card: Any) -> Any:
    """Returns the result of the page's lengthsOf for each (type, points)."""
    program = f"""
import {{readFileSync}} from 'node:fs';
const {{lengthsOf}} = await import({json.dumps(f'data:text/javascript,{quote((PAGE / "lengths.js").read_text())}')});
const {{cases, card}} = JSON.parse(readFileSync(0, 'utf-8'));
console.log(JSON.stringify(cases.map(([type, points]) => lengthsOf(card.types[type], points, card.clearly))));
"""
    done = subprocess.run([NODE, '--input-type=module', '-e', program], stdout=subprocess.PIPE, check=True, text=True,
                          input=json.dumps({'cases': cases, 'card': card}), timeout=60)
    return json.loads(done.stdout)


def test_random_garments_have_the_same_lengths_and_doubts(application: Callable) -> None:
    with TestClient(application()) as client:
        card = client.get('/model').json()
    random, cases, wanted = np.random.RandomState(0), [], []
    for garment in [*GARMENTS.values()] * 8:
        points = random.uniform(0, 400, (len(garment.keypoints), 2)).round(2)
        scores, found = random.uniform(0, 1, len(points)).round(3), random.uniform(size=len(points)) > 0.1
        cases.append((garment.name, {name: {'x': x, 'y': y, 'score': score, 'found': bool(seen), 'moved': False, 'v': 1}
                                     for name, (x, y), score, seen in zip(garment.keypoints, points, scores, found)}))
        wanted.append(measure(Points(garment, points, scores, found)))
    doubtful = 0
    for lengths, right in zip(in_page(cases, card), wanted):
        assert list(lengths) == list(right)
        for name, length in lengths.items():
            if right[name].pixels is None:
                assert length is None
                continue
            assert length['pixels'] == pytest.approx(right[name].pixels) and length['score'] == right[name].score
            assert length['doubtful'] == '; '.join(right[name].doubtful)
            doubtful += bool(length['doubtful'])
    assert doubtful > 50
