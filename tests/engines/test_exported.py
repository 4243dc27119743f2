"""Engines of exported models: what they compute, and what they tell nobody."""
import os
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
import pytest

from fashionai.engines.opening import computes_with_integers, open_model, open_network
from fashionai.garments.table import GARMENTS
from fashionai.model_files.default_model import supplied_graph

PHOTOGRAPH = Path(__file__).resolve().parents[1] / 'photographs/trousers.jpg'


@pytest.mark.parametrize('before, after', [(None, '1'), ('0', '0')])
def test_onnx_runtime_reports_to_nobody_unless_the_user_wants_it(monkeypatch: pytest.MonkeyPatch,
                                                                 before: Optional[str], after: str) -> None:
    """The variable is set when the library is imported; its own documentation names it."""
    seen = []

    class Runtime:
        """Stands for the library, of which nothing else is needed here."""

        def __getattr__(self, name: str) -> Any:
            seen.append(os.environ.get('ORT_DISABLE_TELEMETRY'))
            raise NotImplementedError(name)
    monkeypatch.delenv('ORT_DISABLE_TELEMETRY', raising=False)
    if before is not None:
        monkeypatch.setenv('ORT_DISABLE_TELEMETRY', before)
    monkeypatch.setattr('fashionai.engines.exported.needed', lambda name: Runtime())
    with pytest.raises(NotImplementedError):
        open_network(open_model(supplied_graph(), 'onnxruntime'), GARMENTS.joint, GARMENTS)
    assert seen == [after]


def test_the_fast_model_with_integers_gives_nearly_the_maps_of_single_precision() -> None:
    """The supplied network has the same weights, not rounded, and its model computes in single precision."""
    pytest.importorskip('onnxruntime')
    image = cv2.resize(cv2.imread(str(PHOTOGRAPH)), (288, 288))[np.newaxis].astype(np.float32)
    maps = []
    for name in ('supplied', 'fast'):
        with open_network(open_model(supplied_graph(name), 'onnxruntime'), GARMENTS.joint, GARMENTS, 1) as network:
            maps.append(network.forward(image)[..., :24])
    assert computes_with_integers(open_model(supplied_graph('fast'), 'onnxruntime'))
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.98
    parity = open_model(supplied_graph('fast'), 'onnxruntime').contract.export['parity']
    assert parity['images'] == '250 images of val.csv' and parity['ne_exported'] <= parity['ne_graph'] + 0.5
