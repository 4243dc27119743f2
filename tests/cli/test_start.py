"""`python code/<command>.py`, also by a Python that lacks the packages."""
import subprocess
import sys
from pathlib import Path

import pytest

from fashionai.cli.start import way_out

CODE = Path(__file__).resolve().parents[2] / 'code'
THIS = '{}.{}'.format(*sys.version_info)


@pytest.mark.parametrize('entry_point', sorted(path.name for path in CODE.glob('*.py')))
def test_a_python_without_the_packages_gets_one_line(entry_point: str) -> None:
    done = subprocess.run([sys.executable, '-S', '-E', str(CODE / entry_point)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == '' and done.stderr.count('\n') == 1
    assert way_out(CODE.parent) in done.stderr and sys.executable in done.stderr


def test_the_way_out_is_the_environment_that_the_drivers_use(tmp_path: Path) -> None:
    assert 'begin_to_' in way_out(tmp_path) and 'requirements.txt' in way_out(tmp_path)
    for made, wanted in (('3.9.0a1b2c3d', 'begin_to_'), ('3.1', '/3.1/bin/activate'), ('3.99', '/3.99/bin/activate'),
                         (THIS, f'/{THIS}/bin/activate'), (f'{THIS}-gpu', f'/{THIS}-gpu/bin/activate')):
        activate = tmp_path / '.venv' / made / 'bin/activate'
        activate.parent.mkdir(parents=True, exist_ok=True)
        activate.write_text('')
        assert wanted in way_out(tmp_path)
