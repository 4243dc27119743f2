"""Every network and every idea trains a step, freezes and finds keypoints, through the three entry points."""
import shutil
from pathlib import Path
from typing import Sequence

import pytest

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli import freeze, run, synthesize, train
from fashionai.networks.catalog import NETWORKS


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with generated garments, one of each type for each purpose."""
    folder = tmp_path_factory.mktemp('networks')
    assert synthesize.main(['--output', str(folder), '--train', '5', '--val', '5', '--test', '5', '--size', '96']) == 0
    return folder


def keypoints_of(data: Path, folder: Path, training: Sequence[str], looking: Sequence[str]) -> Annotations:
    """Train a step, freeze, find the keypoints of a skirt."""
    assert train.main(['--tag=skirt', f'--datapath={data}', f'--imgpath={data}', '--pretrain_path=', '--batchsize=1',
                       '--gpus=1', '--input-width=64', '--input-height=64', '--workers=0', '--max-steps=1',
                       '--validate-every=0', f'--modelpath={folder / "trained"}', f'--logpath={folder / "logs"}',
                       *training]) == 0
    graph, output = folder / 'graph.pb', folder / 'skirts.csv'
    assert freeze.main([f'--modelpath={folder / "trained"}', '--tag=skirt', f'--output={graph}']) == 0
    shutil.rmtree(str(folder / 'trained'))  # up to half a gigabyte
    assert run.main([f'--modelpath={graph}', f'--imagepath={data / "test"}', '--tag=skirt', '--inputsize=64',
                     '--resolution=64x64', f'--output={output}', *looking]) == 0
    return read_annotations(output)


@pytest.mark.parametrize('model', sorted(set(NETWORKS) - {'cmu'}))  # which is vgg with other weights
def test_every_network(data: Path, tmp_path: Path, model: str) -> None:
    """One stage, so that what is written stays small."""
    assert len(keypoints_of(data, tmp_path, [f'--model={model}', '--stages=1'], [])) == 1


@pytest.mark.parametrize('training, looking', [
    ('--model=efficientnet_lite0 --stages=2 --stride=2', '--maps=mean'),
    ('--model=testing --stages=6 --stride=4 --upsampling=bilinear --pyramid=on', '--maps=mean --decode=dark'),
    ('--model=mobilenet_050 --stages=1 --pyramid=off --stride=4 --upsampling=transposed', '--decode=quarter'),
    ('--model=dsconv --stages=2 --factorised', '--assembly=paf --decode=plain'),
    ('--model=testing --refine=joint --loss=focal --keypoint-weights=frequency', '--second-pass=replace'),
    ('--model=testing --hard-keypoints=2 --occluded=counted --sampling=uniform', '--second-pass=average'),
    ('--model=testing --loss=focal', '--assembly=paf --maps=mean --decode=bicubic --scales=[(0.5,0.5,1.5)]')])
def test_every_idea(data: Path, tmp_path: Path, training: str, looking: str) -> None:
    assert len(keypoints_of(data, tmp_path, training.split(), looking.split())) == 1
