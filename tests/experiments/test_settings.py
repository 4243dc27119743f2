"""The table of settings: everything that it names exists."""
import re

import pytest

from fashionai.experiments.recipes import PRODUCTS, networks_of, recipes
from fashionai.experiments.settings import SETTINGS, Budget, chosen

BUDGET = Budget()


@pytest.mark.parametrize('name', SETTINGS)
def test_what_a_setting_takes_from_others_can_be_made(name: str) -> None:
    setting = SETTINGS[name]
    assert setting.against in SETTINGS
    for other, seed in networks_of(setting, 1):
        assert 'graph' in recipes(SETTINGS[other], seed, BUDGET, 'data')
    for recipe in recipes(setting, 1, BUDGET, 'data').values():
        for kind, other in re.findall(r'{(\w+):([^}/]+)', ' '.join(recipe.command)):
            assert kind in PRODUCTS and kind in recipes(SETTINGS[other], 1, BUDGET, 'data')


@pytest.mark.parametrize('name', [name for name, one in SETTINGS.items() if one.network])
def test_a_way_to_use_the_supplied_network_changes_one_thing(name: str) -> None:
    setting = SETTINGS[name]
    presets = setting.group == 'presets' and name != 'preset-standard'
    assert setting.against == ('preset-standard' if presets else 'supplied')
    assert set(recipes(setting, 0, BUDGET, 'data')) == {'submission', 'seen', 'scores', 'errors'}
    changed = {flag for flag in setting.flags.split() if flag.startswith('--')}
    assert len(changed - {'--windows'}) <= 1, 'several windows are joined, as in the presets'


@pytest.mark.parametrize('name', SETTINGS)
def test_names_do_for_folders_and_command_lines(name: str) -> None:
    assert re.fullmatch(r'[a-z0-9_-]+', name)


def test_chosen_by_name_and_by_group_in_the_tables_order() -> None:
    names = [setting.name for setting in chosen(SETTINGS, ['ensemble', 'focal', 'baseline', 'batch size'])]
    assert names == ['baseline', 'batch-8', 'batch-32', 'focal', 'ensemble-strides', 'ensemble-seeds', 'combined-csv']
    everything = chosen(SETTINGS, [])
    assert len(everything) > 30 and all(setting.group for setting in everything)
    with pytest.raises(ValueError, match='--only focus.*--list'):
        chosen(SETTINGS, ['focal', 'focus'])
