"""Engines of exported models: what they open, and what they tell nobody."""
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List, Optional

import cv2
import numpy as np
import pytest

from fashionai.engines.exported import as_exact, computes_with_integers, leaves_gpu_unused, open_model, open_network
from fashionai.garments.table import GARMENTS
from fashionai.model_files.default_model import supplied_graph
from fashionai.model_files.model_file import ModelFile

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


@pytest.mark.parametrize('driver, devices, providers, unused', [
    (True, None, ['CPUExecutionProvider'], True), (True, '0', ['CPUExecutionProvider'], True),
    (True, '', ['CPUExecutionProvider'], False), (False, None, ['CPUExecutionProvider'], False),
    (True, None, ['CUDAExecutionProvider', 'CPUExecutionProvider'], False)])
def test_a_gpu_is_unused_if_only_tensorflow_would_use_it(driver: bool, devices: Optional[str], providers: List[str],
                                                         unused: bool, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(get_available_providers=lambda: providers)
    monkeypatch.setattr('fashionai.engines.exported.needed', lambda name: runtime)
    monkeypatch.setattr('fashionai.engines.exported.has_tensorflow', lambda: True)
    monkeypatch.setattr('fashionai.engines.exported._GPU_DRIVER', tmp_path / ('' if driver else 'none'))
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if devices is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', devices)
    assert leaves_gpu_unused() is unused


@pytest.mark.parametrize('difference, exact', [(2.8e-6, True), (1.2e-4, True), (1.3e-4, False), (0.05, False)])
def test_a_model_is_as_exact_as_its_graph_by_what_the_export_measured(difference: float, exact: bool,
                                                                      tmp_path: Path) -> None:
    """Heat maps that reach 1.2, and a difference of one part in ten thousand of it at most."""
    model = open_model(supplied_graph(), 'onnxruntime')
    parity = {**model.contract.export['parity'], 'maps': difference, 'maps_reach': 1.21}
    contract = type(model.contract)(**{**vars(model.contract), 'export': {**model.contract.export, 'parity': parity}})
    assert as_exact(ModelFile(model.path, contract, model.sum)) is exact
    assert not as_exact(ModelFile(model.path, None, model.sum)), 'nothing was measured'


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
