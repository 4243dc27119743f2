"""pyproject.toml and the requirements files say the same, and the command `fashionai` knows every entry point."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List

import numpy as np
import pytest

import fashionai
from fashionai.annotations import Annotations, write_annotations
from fashionai.cli import main as command
from fashionai.extras import EXTRAS, install_command
from fashionai.model_files.contract import contract_of, file_sum
from fashionai.model_files.default_model import SUPPLIED_NETWORKS, supplied_graph

PROJECT = Path(__file__).resolve().parents[1]


def requirements(name: str) -> List[str]:
    """The requirements of a file, without comments, in one form."""
    lines = (PROJECT / name).read_text(encoding='utf-8').splitlines()
    return [_plain(line.split('  #')[0]) for line in lines if line.strip() and not line.startswith(('#', '-r'))]


def project_lists() -> Dict[str, List[str]]:
    """`dependencies` and the extras of pyproject.toml. Python 3.7 has no reader of TOML: the lists are simple."""
    text = (PROJECT / 'pyproject.toml').read_text(encoding='utf-8')
    lists = re.findall(r'^(\w+) = \[\n?(.*?)\n?\]$', text, re.MULTILINE | re.DOTALL)
    return {name: [_plain(item) for item in re.findall(r'"([^"]+)"', items)] for name, items in lists}


def _plain(requirement: str) -> str:
    return requirement.replace("'", '"').replace(' ', '')


def test_training_needs_what_requirements_txt_says() -> None:
    lists = project_lists()
    inference_alone = {item for item in lists['dependencies'] if item.startswith('onnxruntime')}
    linux_alone = {item for item in requirements('requirements.txt') if item.startswith('python-prctl')}
    tested_by = {item for item in requirements('requirements.txt') if item.startswith('scikit-image')}
    assert len(inference_alone) == len(linux_alone) == len(tested_by) == 1
    assert (set(lists['dependencies']) | set(lists['tensorflow'])) - inference_alone == \
        set(requirements('requirements.txt')) - linux_alone - tested_by


@pytest.mark.parametrize('extra', ['serve', 'export', 'cluster'])
def test_extras_are_the_requirements_files(extra: str) -> None:
    wanted = {item.split(';')[0] for item in requirements(f'requirements-{extra}.txt')}
    assert {item.split(';')[0] for item in project_lists()[extra]} == wanted


def test_a_missing_package_has_the_command_that_installs_it() -> None:
    text = (PROJECT / 'pyproject.toml').read_text(encoding='utf-8')
    names = re.findall(r'^(\w+) = \[', re.split(r'^\[.*\]$', text.partition('[project.optional-dependencies]')[2],
                                               flags=re.MULTILINE)[0], re.MULTILINE)
    assert set(EXTRAS) == set(names) - {'dev'}
    lists = project_lists()
    for name, extra in EXTRAS.items():
        assert extra.modern == all('python_version>="3.10"' in item for item in lists[name])
        if extra.has_file:
            assert (PROJECT / extra.source).is_file()
        else:
            package, = lists[name]
            assert package.startswith(f'{extra.source}>=')
        for module in extra.modules:
            assert extra.source in install_command(f'{module}.part')


def test_every_entry_point_is_a_subcommand() -> None:
    scripts = {path.stem for folder in ('code', 'submit') for path in (PROJECT / folder).glob('*.py')}
    assert {name.replace('-', '_') for name in command.COMMANDS} == scripts


def test_help_names_every_command_and_a_wrong_one_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert command.main([]) == command.main(['--help']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.split()[:1] == [name] for line in lines) for name in command.COMMANDS)
    assert command.main(['--version']) == 0
    assert fashionai.__version__ in capsys.readouterr().out
    assert command.main(['predikt']) == 2
    assert 'predikt' in capsys.readouterr().err


def test_a_subcommand_is_its_entry_point(tmp_path: Path, capsys: pytest.CaptureFixture,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.argv', ['fashionai'])
    assert command.main(['evaluate', '--truth', str(tmp_path / 'none.csv'), '--submission', 'x.csv']) == 1
    assert 'none.csv' in capsys.readouterr().err


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., 'subprocess.CompletedProcess[str]']:
    """The command `fashionai` of a package laid out as the wheel has it, run in the empty folder `work`."""
    cli = tmp_path / 'site/fashionai/cli'
    shutil.copytree(str(PROJECT / 'code/fashionai'), str(cli.parent), ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('merge.py', 'combine.py'):
        shutil.copy(str(PROJECT / 'submit' / name), str(cli))
    (tmp_path / 'work').mkdir()

    def run(*arguments: str) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run([sys.executable, '-m', 'fashionai.cli.main', *arguments], cwd=str(tmp_path / 'work'),
                              env={**os.environ, 'PYTHONPATH': str(tmp_path / 'site')}, capture_output=True, text=True)
    return run


def test_an_installed_package_combines(installed: Callable[..., 'subprocess.CompletedProcess[str]']) -> None:
    done = installed('combine', '--help')
    assert not done.returncode, done.stderr


def test_an_installed_package_merges_in_the_working_folder(
        installed: Callable[..., 'subprocess.CompletedProcess[str]'], tmp_path: Path) -> None:
    assert 'site' not in installed('merge', '--help').stdout
    assert installed('merge').returncode == 1
    submit = tmp_path / 'work/submit'
    submit.mkdir()
    write_annotations(submit / 'submit_skirt.csv',
                      Annotations(('a.jpg',), ('skirt',), np.zeros((1, 24, 3), np.int32), 'a test'))
    assert not installed('merge', '--partial').returncode
    merged = (submit / 'submit.csv').read_text()
    assert len(merged.splitlines()) == 2
    submit.rename(tmp_path / 'work/elsewhere')
    assert not installed('merge', 'elsewhere/submit_skirt.csv').returncode
    assert (submit / 'submit.csv').read_text() == merged


def test_the_citation_names_the_version() -> None:
    assert f'version: {fashionai.__version__}\n' in (PROJECT / 'CITATION.cff').read_text(encoding='utf-8')


@pytest.mark.parametrize('name, most', [('supplied', 16e6), ('fast', 5e6)])
def test_a_supplied_network_and_its_onnx_model_are_one(name: str, most: float) -> None:
    graph = supplied_graph(name)
    model = graph.with_suffix('.onnx')
    contract = contract_of(model)
    assert contract is not None and contract.export['of_graph_sha256'] == file_sum(graph)
    assert max(graph.stat().st_size, model.stat().st_size) <= most


def test_a_wheel_has_every_supplied_network() -> None:
    text = (PROJECT / 'pyproject.toml').read_text(encoding='utf-8')
    for in_package, in_checkout in SUPPLIED_NETWORKS.values():
        assert f'"models/trained/{in_checkout}" = "fashionai/{in_package}"\n' in text
