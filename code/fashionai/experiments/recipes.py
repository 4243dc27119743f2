"""The recipes of a setting's products: for each product, the program and its flags."""
import re
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Match, Tuple

from fashionai.experiments.settings import Budget, Flags, Setting


@dataclass(frozen=True)
class Recipe:
    """How a product is made.

    product: the file or folder, in the folder of the setting. command: the command that makes it. In the command,
    `{here}` stands for the folder of the setting, and `{PRODUCT:NAME/SEED}` for the path of another product.
    """

    product: str
    command: Flags


PRODUCTS: Mapping[str, str] = {
    'checkpoint': 'the folder of checkpoints', 'graph': 'the frozen graph', 'submission': 'keypoints of val.csv',
    'seen': 'keypoints of train.csv', 'scores': 'their error',
    'errors': 'their error for each image'}
"""The products of a setting, by the name in placeholders."""

Key = Tuple[str, str, int]
"""A product, the name of a setting, and a seed."""

_ONE_WINDOW: Flags = ('--scales', '[1.0]', '--windows', 'exact', '--assembly', 'peaks', '--second-pass', 'none')
"""One window with padding and, by default, its mirror image; the highest peaks; no second pass."""

_PLACEHOLDER = re.compile(r'\{(' + '|'.join(PRODUCTS) + r'):([^{}/]+)(?:/(\d+))?\}')


def recipes(setting: Setting, seed: int, budget: Budget, data: str) -> Dict[str, Recipe]:
    """Returns the recipes of a setting by product. `data` is the folder with train/train.csv and train/val.csv."""
    own = f'{setting.name}/{seed}'
    graphs = setting.network or ','.join(f'{{graph:{name}/{number}}}' for name, number in networks_of(setting, seed))
    way = ('--preset', setting.preset) if setting.preset else _ONE_WINDOW
    predict = ('code/run.py', '--test', 'validate', '--tag', 'all', *way, '--batch', '8', '--imagepath',
               f'{data}/train', '--modelpath', graphs, *setting.run)
    evaluate = ('code/evaluate.py', '--truth')
    made = {
        'checkpoint': ('trained', ('code/train.py', *budget.train_flags(setting), '--seed', str(seed),
                                   '--datapath', data, '--imgpath', data, '--logpath', '{here}/logs', *setting.train,
                                   '--modelpath')),
        'graph': ('frozen_graph.pb', ('code/freeze.py', '--modelpath', f'{{checkpoint:{own}}}', *setting.freeze,
                                      '--output')),
        'submission': ('submission.csv', ((setting.script, *setting.run) if setting.script else
                                          (*predict, '--csv', f'{data}/train/val.csv')) + ('--output',)),
        'seen': ('seen.csv', (*predict, '--csv', f'{data}/train/train.csv', '--output')),
        'scores': ('scores.json', (*evaluate, f'{data}/train/train.csv', '--submission', f'{{seen:{own}}}', '--json')),
        'errors': ('errors.csv', (*evaluate, f'{data}/train/train.csv', '--submission', f'{{seen:{own}}}', '--errors'))}
    untrained = bool(setting.uses or setting.network)
    left_out = ('checkpoint', 'graph') * untrained + ('seen', 'scores', 'errors') * bool(setting.script)
    return {kind: Recipe(product, command + (f'{{here}}/{product}',))
            for kind, (product, command) in made.items() if kind not in left_out}


def needs(recipe: Recipe, seed: int) -> List[Key]:
    """Returns the products that the command of a recipe needs, for this seed of its setting."""
    return [_key(found, seed) for text in recipe.command for found in _PLACEHOLDER.finditer(text)]


def trainings(settings: Mapping[str, Setting], setting: Setting, seed: int, budget: Budget,
              data: str) -> Dict[Tuple[str, int], Flags]:
    """Returns the settings, with their seeds, whose trainings the keypoints of a setting need, and their commands."""
    found: Dict[Tuple[str, int], Flags] = {}
    queue = [('submission', setting.name, seed)]
    while queue:
        kind, name, number = queue.pop()
        recipe = recipes(settings[name], number, budget, data)[kind]
        if kind == 'checkpoint':
            found[name, number] = recipe.command
        queue.extend(needs(recipe, number))
    return found


def filled(text: str, seed: int, here: str, path_of: Callable[[str, str, int], object]) -> str:
    """Returns a part of a command with its placeholders replaced. `path_of` takes product, setting and seed."""
    return _PLACEHOLDER.sub(lambda found: str(path_of(*_key(found, seed))), text.replace('{here}', here))


def networks_of(setting: Setting, seed: int) -> List[Tuple[str, int]]:
    """Returns the settings, with their seeds, whose networks process an image; [] for a network of the project."""
    if setting.network:
        return []
    parts = [name.partition('/') for name in setting.uses or (setting.name,)]
    return [(name, int(number or seed)) for name, _, number in parts]


def _key(found: Match, seed: int) -> Key:
    kind, name, number = found.groups()
    return kind, name, int(number or seed)
