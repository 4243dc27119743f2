"""Drivers with a stand-in for the set-up and for Python: what they call, and what they write."""
import os
import subprocess
from pathlib import Path
from typing import List, Tuple

import pytest

PROJECT = Path(__file__).resolve().parents[1]


def copied(folder: Path, name: str, python: str) -> Path:
    """Copies a driver into a folder, its project. It sets nothing up; `python` are the commands in place of Python."""
    (folder / 'code').mkdir()
    (folder / 'code/setup.sh').write_text(f'source "{PROJECT}/code/setup.sh"\nPROJECT="{folder}"\nset_up() {{ :; }}\n'
                                          f'python() {{ {python}; }}\n')
    driver = folder / name
    driver.write_bytes((PROJECT / name).read_bytes())
    return driver


@pytest.mark.parametrize('arguments, tag', [
    ([], 'blouse'), (['dress'], 'dress'), (['--tag', 'dress'], 'dress'), (['--tag=dress'], 'dress'),
    (['skirt', '--half', '--tag', 'dress', '--install'], 'dress'), (['--output', 'dress'], 'blouse')])
def test_freezing_makes_the_folder_of_the_type_that_is_frozen(tmp_path: Path, arguments: list, tag: str) -> None:
    driver = copied(tmp_path, 'begin_to_frozen.sh', 'echo "$@" >"$PROJECT/call"')
    subprocess.run(['bash', str(driver), *arguments], check=True, env={**os.environ, 'LC_ALL': 'C'})
    assert [path.name for path in (tmp_path / 'models/trained').iterdir()] == [tag]
    call = (tmp_path / 'call').read_text().replace('--tag=', '--tag ').split()
    assert [after for before, after in zip(call, call[1:]) if before == '--tag'][-1] == tag


def test_other_labels_or_flags_make_another_run(tmp_path: Path) -> None:
    driver = copied(tmp_path, 'begin_to_train_all.sh',
                    '[[ $1 != -c ]] || { python3 "$@"; return; }; echo "$@" >>"$PROJECT/calls"')
    lists = tmp_path / 'labels/data/train'
    lists.mkdir(parents=True)
    (lists / 'val.csv').write_text('')

    def folders(labels: str, *flags: str) -> Tuple[str, str]:
        """Returns the folder of the training and the one that is frozen."""
        (lists / 'train.csv').write_text(labels)
        (tmp_path / 'calls').write_text('')
        subprocess.run(['bash', str(driver), '--fine-tune', str(tmp_path / 'labels'), *flags], check=True)
        train, freeze, _ = (line.split() for line in (tmp_path / 'calls').read_text().splitlines())
        return f'{_value(train, "--modelpath")}/all/{_value(train, "--run-name")}', _value(freeze, '--checkpoint')

    first = folders('a')
    assert first[0] == first[1] and folders('a') == first
    others = [folders('b'), folders('a', '--max-steps', '300'), folders('a', '--max-steps', '400')]
    assert all(train == frozen for train, frozen in others)
    assert len({first, *others}) == 4


def _value(words: List[str], flag: str) -> str:
    return words[words.index(flag) + 1]


def test_the_second_network_continues_from_part_to_part_and_is_joined(tmp_path: Path) -> None:
    driver = copied(tmp_path, 'begin_to_train_all.sh', 'echo "$@" >>"$PROJECT/calls"')
    first = tmp_path / 'models/trained/all/graph/frozen_graph.pb'
    refused = subprocess.run(['bash', str(driver), '--second'], check=False)
    assert refused.returncode == 1 and not (tmp_path / 'calls').exists(), 'there is no first network'
    first.parent.mkdir(parents=True)
    first.write_text('')
    subprocess.run(['bash', str(driver), '--second', '--workers', '0'], check=True)
    calls = [line.split() for line in (tmp_path / 'calls').read_text().splitlines()]
    trainings = [words for words in calls if words[0] == 'code/train.py']
    folders = [f'{_value(words, "--modelpath")}/all' for words in trainings]
    assert len(set(folders)) == 4 and all(words[-2:] == ['--workers', '0'] for words in trainings)
    assert [_value(words, '--checkpoint') for words in trainings[1:3]] == folders[:2]
    assert all(_value(words, '--model') == 'movenet_thunder' for words in trainings)
    mean, last, joined = (words for words in calls if words[0] == 'code/freeze.py')
    assert [_value(mean, flag) for flag in ('--checkpoint', '--average')] == [folders[2], folders[1]]
    assert _value(trainings[3], '--pretrain_path') == _value(mean, '--weights')
    assert _value(last, '--checkpoint') == folders[3]
    assert _value(joined, '--graph') == f'models/trained/all/graph/frozen_graph.pb,{_value(last, "--output")}'
