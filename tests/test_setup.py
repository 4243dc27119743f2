"""setup.sh: which environment drivers use, that none is deleted, and what drivers say of themselves.

Environments are made by a stand-in for venv and pip, in a copy of the project's set-up.
"""
import mmap
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Callable

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SETUP = PROJECT / 'code/setup.sh'
DRIVERS = ['run_tests.sh'] + sorted(path.name for path in PROJECT.glob('begin_to_*.sh'))
VERSION = '{}.{}'.format(*sys.version_info)

STAND_IN = """
set -euo pipefail
source code/setup.sh
nvidia-smi() { [[ -n ${GPU:-} ]]; }
make_environment() {
    mkdir -p "$3/bin"
    rm -f "$3/made"
    [[ -z ${CUT_SHORT:-} ]] || exit 1
    echo "${4:-no extra}" >"$3/made"
}
set_up
echo "${PATH%%/bin:*}"
"""

EARLIER = """
set -euo pipefail
python="$(python -c 'import os, sys; print(os.path.realpath(sys.executable))')"
{ "$python" -c 'import sys; print(sys.executable, sys.version)'; echo "$1"; cat requirements.txt tests/requirements.txt
} | sha256sum
"""
"""The stamp that the set-up wrote when it made folders in place of links."""

SetUp = Callable[..., Path]


@pytest.fixture()
def project(tmp_path: Path) -> Path:
    for name in ('code', 'tests'):
        (tmp_path / name).mkdir()
    for name in ('code/setup.sh', 'requirements.txt', 'tests/requirements.txt'):
        shutil.copy(str(PROJECT / name), str(tmp_path / name))
    return tmp_path


@pytest.fixture()
def set_up(project: Path) -> SetUp:
    """`set_up(GPU='1')` runs the set-up in the project with these environment variables, and returns the folder of the
    environment that comes first on PATH then."""
    def run(code: int = 0, **variables: str) -> Path:
        done = _bash(project, STAND_IN, PYTHON=sys.executable, **variables)
        assert done.returncode == code, done.stderr
        return Path(done.stdout.strip() or done.stderr)
    return run


def _bash(folder: Path, script: str, *arguments: str, **variables: str) -> 'subprocess.CompletedProcess[str]':
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])
    return subprocess.run(['bash', '-c', script, 'bash', *arguments], cwd=str(folder), capture_output=True, text=True,
                          timeout=60, env={**os.environ, 'PATH': search, **variables})


def _earlier_environment(project: Path, extra: str = '') -> Path:
    """One as made before there were links: a folder with a stamp."""
    folder = project / '.venv' / VERSION
    (folder / 'bin').mkdir(parents=True)
    (folder / 'complete').write_text(_bash(project, EARLIER, extra).stdout)
    return folder


def test_an_activated_environment_names_the_interpreter_that_it_was_made_of(tmp_path: Path) -> None:
    """Otherwise a driver would make .venv anew, by the python inside it, whenever it is activated."""
    venv.create(str(tmp_path), symlinks=True)
    search = os.pathsep.join([str(tmp_path / 'bin'), os.environ['PATH']])
    found = subprocess.run(['bash', '-c', f'source "{SETUP}"; find_python'], stdout=subprocess.PIPE, check=True,
                           env={**os.environ, 'PATH': search, 'PYTHON': 'python'})
    assert Path(found.stdout.decode().strip()) == Path(sys.executable).resolve()


def test_the_second_set_up_finds_what_the_first_made(project: Path, set_up: SetUp) -> None:
    first = set_up()
    (first / 'made').write_text('once')
    assert set_up() == first == (project / '.venv' / VERSION).resolve()
    assert (first / 'made').read_text() == 'once'


@pytest.mark.skipif(sys.version_info < (3, 10), reason='TensorFlow 1.15 is the same package for both')
def test_environments_for_cpus_and_for_gpus_have_their_own_folders(project: Path, set_up: SetUp) -> None:
    cpu, gpu = set_up(), set_up(GPU='1')
    assert (cpu / 'made').read_text() == 'no extra\n' and (gpu / 'made').read_text() == 'tensorflow[and-cuda]\n'
    assert (project / '.venv' / VERSION).resolve() == cpu != gpu == (project / '.venv' / f'{VERSION}-gpu').resolve()
    assert set_up() == cpu and set_up(GPU='1') == gpu


def test_other_requirements_leave_the_environment_before_as_it_is(project: Path, set_up: SetUp) -> None:
    first = set_up()
    (first / 'made').write_text('in use')
    requirements = (project / 'requirements.txt').read_text()
    (project / 'requirements.txt').write_text(requirements + 'another\n')
    second = set_up()
    assert second != first and (project / '.venv' / VERSION).resolve() == second
    assert (first / 'made').read_text() == 'in use'
    (project / 'requirements.txt').write_text(requirements)
    assert set_up() == first and (first / 'made').read_text() == 'in use', 'nothing has to be made anew to go back'


def test_a_set_up_that_was_cut_short_is_done_again_and_what_was_there_serves_till_then(project: Path,
                                                                                       set_up: SetUp) -> None:
    first = set_up()
    with open(str(project / 'requirements.txt'), 'a') as file:
        file.write('another\n')
    set_up(CUT_SHORT='1', code=1)
    assert (project / '.venv' / VERSION).resolve() == first
    assert (set_up() / 'made').exists()


def test_the_tools_of_tests_are_no_part_of_an_environment(project: Path, set_up: SetUp) -> None:
    first = set_up()
    with open(str(project / 'tests/requirements.txt'), 'a') as file:
        file.write('another\n')
    assert set_up() == first
    assert 'tests/requirements' not in re.search(r'make_environment\(\) \{.*?\n\}', SETUP.read_text(), re.S).group()


@pytest.mark.parametrize('extra', ['', 'tensorflow[and-cuda]'])
def test_an_environment_of_the_set_up_before_links_serves_on(project: Path, set_up: SetUp, extra: str) -> None:
    folder = _earlier_environment(project, extra)
    assert set_up() == folder and not folder.is_symlink()


@pytest.mark.skipif(sys.version_info < (3, 10), reason='TensorFlow 1.15 is the same package for both')
def test_an_environment_with_cuda_of_the_set_up_before_links_serves_gpus(project: Path, set_up: SetUp) -> None:
    folder = _earlier_environment(project, 'tensorflow[and-cuda]')
    assert set_up(GPU='1') == folder == (project / '.venv' / f'{VERSION}-gpu').resolve()


def test_an_old_folder_in_the_place_of_the_link_is_kept_under_another_name(project: Path, set_up: SetUp) -> None:
    folder = _earlier_environment(project)
    (folder / 'complete').write_text('of other requirements')
    (folder / 'kept').write_text('')
    assert (set_up() / 'made').exists()
    assert [path.parent.parent for path in project.rglob('kept')] == [project / '.venv']
    assert (project / '.venv' / VERSION).is_symlink()


@pytest.mark.skipif(not Path('/proc/self/maps').exists(), reason='only Linux says which files a process has loaded')
def test_an_old_folder_from_which_a_program_runs_stays_where_it_is(project: Path, set_up: SetUp) -> None:
    folder = _earlier_environment(project)
    (folder / 'complete').write_text('of other requirements')
    (folder / 'library.so').write_bytes(b'loaded')
    with open(str(folder / 'library.so'), 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
        assert str(os.getpid()) in str(set_up(code=1))
    assert not folder.is_symlink() and (folder / 'library.so').exists()
    assert set_up() == (project / '.venv' / VERSION).resolve() != folder


@pytest.mark.parametrize('driver', DRIVERS)
@pytest.mark.parametrize('shell', [[], ['sh']], ids=['itself', 'sh'])
def test_a_driver_that_is_asked_for_help_does_nothing_else(driver: str, shell: list, tmp_path: Path) -> None:
    """Nor does it need a Python. Called by sh, which may know less than bash, it starts itself by bash."""
    for name in ('bash', 'sh', 'env', 'dirname', 'readlink', 'sed'):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    said = subprocess.run([*shell, str(PROJECT / driver), '--help'], stdout=subprocess.PIPE, check=True, timeout=20,
                          env={'PATH': str(tmp_path)}, cwd=str(tmp_path))
    assert f'./{driver}' in said.stdout.decode() and 'set -euo' not in said.stdout.decode()


def test_links_in_code_lead_somewhere_in_a_fresh_clone(tmp_path: Path) -> None:
    links = {path.name: os.readlink(str(path)) for path in (PROJECT / 'code').iterdir() if path.is_symlink()}
    assert 'tmp' in links
    listed = subprocess.run(['git', 'ls-files'], cwd=str(PROJECT), stdout=subprocess.PIPE, text=True)
    if listed.returncode:
        pytest.skip('no git here, or no checkout')
    known = {part for name in listed.stdout.splitlines() for part in (name, name.split('/')[0])}
    assert all(os.path.normpath(f'code/{target}') in known for target in links.values())


def test_scripts_keep_their_line_ends_on_every_system() -> None:
    said = subprocess.run(['git', 'check-attr', 'eol', '--', *DRIVERS, 'code/setup.sh', '.ci/run'], cwd=str(PROJECT),
                          stdout=subprocess.PIPE, text=True)
    if said.returncode:
        pytest.skip('no git here, or no checkout')
    assert [line.rsplit(' ', 1)[1] for line in said.stdout.splitlines()] == ['lf'] * (len(DRIVERS) + 2)
