"""Drivers with a stand-in for the set-up and for Python: what they call, and what they write."""
import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize('arguments, tag', [
    ([], 'blouse'), (['dress'], 'dress'), (['--tag', 'dress'], 'dress'), (['--tag=dress'], 'dress'),
    (['skirt', '--half', '--tag', 'dress', '--install'], 'dress'), (['--output', 'dress'], 'blouse')])
def test_freezing_makes_the_folder_of_the_type_that_is_frozen(tmp_path: Path, arguments: list, tag: str) -> None:
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code/setup.sh').write_text(
        f'source "{PROJECT}/code/setup.sh"\nPROJECT="{tmp_path}"\nset_up() {{ :; }}\n'
        'python() { echo "$@" >"$PROJECT/call"; }\n')
    driver = tmp_path / 'begin_to_frozen.sh'
    driver.write_bytes((PROJECT / 'begin_to_frozen.sh').read_bytes())
    subprocess.run(['bash', str(driver), *arguments], check=True, env={**os.environ, 'LC_ALL': 'C'})
    assert [path.name for path in (tmp_path / 'models/trained').iterdir()] == [tag]
    call = (tmp_path / 'call').read_text().replace('--tag=', '--tag ').split()
    assert [after for before, after in zip(call, call[1:]) if before == '--tag'][-1] == tag
