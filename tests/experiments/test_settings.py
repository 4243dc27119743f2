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


@pytest.mark.parametrize('name', ['short', 'short-batch-8', 'short-more-training', 'short-hard-retrain'])
def test_a_short_training_is_a_sixth_of_another_from_a_trained_backbone(name: str) -> None:
    short, long = SETTINGS[name], SETTINGS.get(name[len('short-'):], SETTINGS['baseline'])
    short_flags, long_flags = BUDGET.train_flags(short), BUDGET.train_flags(long)
    steps = int(long_flags[long_flags.index('--max-steps') + 1])
    assert short_flags[short_flags.index('--max-steps') + 1] == str(steps // 6)
    continues = '--checkpoint' in short.train
    assert ('--fresh-head' in short_flags) != continues and '--fresh-head' not in long_flags
    assert ' '.join(short.train) == ' '.join(long.train).replace(':baseline}', ':short}')
    assert short.against == {'baseline': 'short', 'more-training': 'short-more-training'}[long.against]


def test_short_trainings_need_only_short_trainings() -> None:
    short = chosen(SETTINGS, ['short trainings'])
    assert len(short) > 10
    for one in short:
        assert {name for name, _ in trainings(SETTINGS, one, 1, BUDGET, 'data')} <= {other.name for other in short}


def test_chosen_by_name_and_by_group_in_the_tables_order() -> None:
    names = [setting.name for setting in chosen(SETTINGS, ['ensemble', 'focal', 'baseline', 'batch size'])]
    assert names == ['baseline', 'batch-8', 'batch-32', 'focal', 'ensemble-strides', 'ensemble-seeds', 'combined-csv']
    everything = chosen(SETTINGS, [])
    assert len(everything) > 30 and all(setting.group for setting in everything)
    with pytest.raises(ValueError, match='--only focus.*--list'):
        chosen(SETTINGS, ['focal', 'focus'])
