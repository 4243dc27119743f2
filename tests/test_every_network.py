"""Every network of the catalogue trains a step, freezes and finds keypoints, through the three entry points."""
import shutil
from pathlib import Path

import freeze
import pytest
import run
import synthesize
import train

from fashionai.annotations import read_annotations
from fashionai.networks.catalog import NETWORKS


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with generated garments, one of each type for each purpose."""
    folder = tmp_path_factory.mktemp('networks')
    assert synthesize.main(['--output', str(folder), '--train', '5', '--val', '5', '--test', '5', '--size', '96']) == 0
    return folder


@pytest.mark.parametrize('model', sorted(set(NETWORKS) - {'cmu'}))  # which is vgg with other weights
def test_a_step_of_training_a_graph_and_its_keypoints(data: Path, tmp_path: Path, model: str) -> None:
    """One stage, so that what is written stays small."""
    assert train.main([f'--model={model}', '--tag=skirt', f'--datapath={data}', f'--imgpath={data}', '--stages=1',
                       '--pretrain_path=', '--batchsize=1', '--gpus=1', '--input-width=64', '--input-height=64',
                       '--workers=0', '--max-steps=1', '--validate-every=0', f'--modelpath={tmp_path / "trained"}',
                       f'--logpath={tmp_path / "logs"}']) == 0
    graph, output = tmp_path / 'graph.pb', tmp_path / 'skirts.csv'
    assert freeze.main([f'--modelpath={tmp_path / "trained"}', '--tag=skirt', f'--output={graph}']) == 0
    assert run.main([f'--modelpath={graph}', f'--imagepath={data / "test"}', '--tag=skirt', '--inputsize=64',
                     '--resolution=64x64', f'--output={output}']) == 0
    assert len(read_annotations(output)) == 1
    shutil.rmtree(str(tmp_path / 'trained'))  # up to half a gigabyte
