"""The flags of the original's commands: their names, their defaults, and that `--help` is quick."""
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from fashionai.cli import run, train

CODE = Path(__file__).resolve().parents[1] / 'code'
PLACES = {'modelpath': 'models/trained', 'logpath': 'models/logs'}
TRAINING: Dict[str, Any] = {
    'model': 'vgg', 'datapath': 'data', 'imgpath': 'data', 'batchsize': 16, 'gpus': 8, 'max_epoch': 140, 'lr': '1e-4',
    'pretrain_basepath': 'models/pretrained', 'pretrain_path': None, 'checkpoint': None, 'tag': 'blouse',
    'remote_data': '', 'input_width': 368, 'input_height': 368}


def test_train_has_the_flags_of_the_original() -> None:
    options = vars(train.parse([]))
    assert {name: options[name] for name in TRAINING} == TRAINING
    assert all(Path(options[name]).parts[-2:] == Path(place).parts for name, place in PLACES.items())
    values = {**TRAINING, **PLACES, 'pretrain_path': 'numpy/vgg19.npy'}
    typed = [f'--{name if name.startswith("pretrain_") else name.replace("_", "-")}={value}'
             for name, value in values.items() if value is not None]
    assert {name: vars(train.parse(typed))[name] for name in values} == values


def test_run_has_the_flags_of_the_original() -> None:
    options = vars(run.parse(['--tag=skirt']))
    names = ('modelpath', 'imagepath', 'csv', 'inputsize', 'resolution', 'scales')
    assert {name: options[name] for name in names} == dict.fromkeys(names) and options['test'] == 'submit'
    typed = vars(run.parse(['--tag=skirt', '--test=validate', *(f'--{name}=1' for name in names)]))
    assert {name: typed[name] for name in names} == dict.fromkeys(names, '1') and typed['test'] == 'validate'


@pytest.mark.parametrize('command', ['train', 'run'])
def test_help_needs_no_tensorflow(command: str) -> None:
    program = (f"import sys; sys.path.insert(0, {str(CODE)!r}); from fashionai.cli.{command} import parse\n"
               "try: parse(['--help'])\nexcept SystemExit: assert 'tensorflow' not in sys.modules")
    assert '--modelpath' in subprocess.run([sys.executable, '-c', program], check=True, stdout=subprocess.PIPE,
                                           stderr=subprocess.STDOUT, timeout=60).stdout.decode()
