"""The manifest and the script of docs/cluster.md: what the ranks that they start find in TF_CONFIG, and their flags."""
import json
import os
import re
import subprocess
from pathlib import Path
from typing import List

import pytest

from fashionai.cli import train
from fashionai.training.cluster import Cluster, cluster_of

GUIDE = (Path(__file__).resolve().parents[1] / 'docs/cluster.md').read_text(encoding='utf-8')


def block(start: str) -> str:
    """Returns the block of code in the guide that begins so."""
    return next(code for code in re.findall(r'^```\w+\n(.*?)^```', GUIDE, re.DOTALL | re.MULTILINE)
                if code.startswith(start))


def test_the_slurm_script_starts_every_rank_with_its_place_and_again_after_a_loss(tmp_path: Path) -> None:
    programs = {
        'scontrol': 'printf "%s\\n" node7 node8 node9',
        'srun': 'shift; echo start >>starts; for SLURM_PROCID in 0 1 2; do export SLURM_PROCID; "$@"; done; '
                '[[ $(wc -l <starts) == 1 ]] && exit 138; exit 0'}
    for name, text in programs.items():
        (tmp_path / name).write_text(f'#!/bin/bash\n{text}\n')
        (tmp_path / name).chmod(0o700)
    (tmp_path / '.venv/3.11/bin').mkdir(parents=True)
    python = tmp_path / '.venv/3.11/bin/python'
    python.write_text('#!/bin/bash\nprintf "%s\\t%s\\n" "$TF_CONFIG" "$*" >>ranks\n')
    python.chmod(0o700)
    subprocess.run(['bash', '-c', block('#!/bin/bash\n#SBATCH')], cwd=str(tmp_path), check=True, timeout=60,
                   env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'SLURM_JOB_NODELIST': 'node[7-9]'})
    ranks = [line.split('\t') for line in (tmp_path / 'ranks').read_text().splitlines()]
    addresses = ('node7:2222', 'node8:2222', 'node9:2222')
    assert [cluster_of({'TF_CONFIG': config}) for config, _ in ranks] == 2 * [
        Cluster(addresses, rank) for rank in range(3)]
    command: List[str] = ranks[0][1].split()
    assert command[0] == 'code/train.py' and train.parse(command[1:]).batchsize == 16


def test_the_tfjob_has_flags_of_train_and_a_batch_that_divides() -> None:
    yaml = pytest.importorskip('yaml')
    worker = yaml.safe_load(block('apiVersion: kubeflow.org'))['spec']['tfReplicaSpecs']['Worker']
    container, = worker['template']['spec']['containers']
    assert container['name'] == 'tensorflow' and container['command'][:2] == ['python', 'code/train.py']
    options = train.parse(container['command'][2:])
    train.check_division(options, worker['replicas'])
    address = container['ports'][0]['containerPort']
    config = {'cluster': {'worker': [f'blouse-worker-{rank}.default.svc:{address}' for rank in range(4)]},
              'task': {'type': 'worker', 'index': 3}, 'environment': 'cloud'}
    assert cluster_of({'TF_CONFIG': json.dumps(config)}).rank == 3


def test_the_line_with_tf_config_is_understood() -> None:
    config = re.search(r"^TF_CONFIG='(.*)'", block("TF_CONFIG='"), re.MULTILINE)
    assert config and cluster_of({'TF_CONFIG': config.group(1)}) == Cluster(('a:2222', 'b:2222'), 0)
