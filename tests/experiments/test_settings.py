"""The table of settings: everything that it names exists."""
import re

import pytest

from fashionai.experiments.recipes import PRODUCTS, networks_of, recipes, trainings
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


@pytest.mark.parametrize('name', [
    'fine', 'fine-hard-keypoints', 'fine-batch-8', 'fresh', 'fresh-stages-2'])
def test_trainings_from_weights_for_garments_have_a_sixth_of_the_steps(name: str) -> None:
    one = SETTINGS[name]
    like = SETTINGS.get(name.partition('-')[2], SETTINGS['baseline'])
    steps, others = (int(flags[flags.index('--max-steps') + 1]) for flags in map(BUDGET.train_flags, (one, like)))
    assert steps == others // 6
    weights = 'photographs_efficientnet_lite0.npz'
    assert weights in BUDGET.train_flags(one) and weights not in BUDGET.train_flags(like)
    assert ('--fresh-head' in BUDGET.train_flags(one)) == name.startswith('fresh')
    assert one.train == like.train and weights in one.flags


@pytest.mark.parametrize('group', ['fine-tuning', 'fresh heads'])
def test_they_are_compared_with_their_own_kind_and_need_nothing_else(group: str) -> None:
    first, *others = chosen(SETTINGS, [group])
    assert first.against == first.name and len(first.seeds) == 3 and len(others) > 5
    for one in others:
        assert one.against == first.name and not one.uses
        assert {name for name, _ in trainings(SETTINGS, one, 1, BUDGET, 'data')} <= {one.name, first.name}


def test_chosen_by_name_and_by_group_in_the_tables_order() -> None:
    names = [setting.name for setting in chosen(SETTINGS, ['ensemble', 'focal', 'baseline', 'batch size'])]
    assert names == ['baseline', 'batch-8', 'batch-32', 'focal', 'ensemble-strides', 'ensemble-seeds', 'combined-csv']
    everything = chosen(SETTINGS, [])
    assert len(everything) > 30 and all(setting.group for setting in everything)
    with pytest.raises(ValueError, match='--only focus.*--list'):
        chosen(SETTINGS, ['focal', 'focus'])
