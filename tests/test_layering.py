"""Imports go downward only: reads every import in the code and holds the layers of docs/architecture.md."""
import ast
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

CODE = Path(__file__).resolve().parents[1] / 'code'
PACKAGE = 'fashionai'
LAYERS: Tuple[Tuple[str, ...], ...] = (
    ('__version__', 'errors', 'extras', 'files', 'signals'),
    ('garments', 'option_group'),
    ('annotations', 'calibration'),
    ('images',),
    ('evaluation', 'codec', 'datasets'),
    ('dataflow', 'networks'),
    ('model_files',),
    ('engines',),
    ('inference', 'synthetic', 'training'),
    ('results',),
    ('bulk', 'experiments', 'exporting', 'labelling', 'serving'),
    ('model', 'tf_compat'),
    ('cli', '__init__'))
"""The parts of the package from the bottom to the top; a part imports from below, or from its own layer."""

STRANGERS = frozenset({('dataflow', 'networks'), ('networks', 'dataflow')})
"""Parts of one layer that do not know each other: (importer, imported)."""

TENSORFLOW_PARTS = ('networks', 'model_files', 'engines', 'training', 'exporting', 'tf_compat', 'cli')
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}

Imports = Dict[str, List[str]]


def imported_modules(source: str, module: str) -> Iterator[str]:
    """Full dotted names that a module's source imports, anywhere in it; `module` is its own name, for relative ones."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            package = module.split('.')[:-node.level] if node.level else []
            base = '.'.join(package + ([node.module] if node.module else []))
            for alias in node.names:
                yield f'{base}.{alias.name}'


def part_of(module: str) -> str:
    """The part a module of the package belongs to: `fashionai.codec.heatmaps` to `codec`; '' for any other module."""
    names = module.split('.')
    return names[1] if names[0] == PACKAGE and len(names) > 1 else ''


def fault(importer: str, imported: str) -> str:
    """What is wrong with one import, or ''."""
    source, target = part_of(importer), part_of(imported)
    if imported.split('.')[0] == 'tensorflow':
        return '' if source in TENSORFLOW_PARTS else f'only {", ".join(TENSORFLOW_PARTS)} may import tensorflow'
    if target in ('', source):
        return ''
    if target not in LEVEL or source not in LEVEL:
        return f'{source if source not in LEVEL else target} has no place in LAYERS'
    if LEVEL[target] > LEVEL[source]:
        return 'upward'
    return 'these two do not know each other' if (source, target) in STRANGERS else ''


def faults(imports: Imports) -> List[str]:
    """One line for each import of the modules that breaks a rule."""
    return [f'{importer} imports {imported}: {fault(importer, imported)}'
            for importer, modules in imports.items() for imported in modules if fault(importer, imported)]


def cycles(imports: Imports) -> List[str]:
    """Parts from which a chain of imports through other parts leads back to themselves."""
    reach: Dict[str, set] = {}
    for importer, modules in imports.items():
        targets = {part_of(module) for module in modules} - {'', part_of(importer)}
        reach.setdefault(part_of(importer), set()).update(targets)
    for _ in reach:  # each pass lengthens the chains by one part at least
        for targets in reach.values():
            targets.update(*(reach.get(target, set()) for target in list(targets)))
    return sorted(part for part, targets in reach.items() if part in targets)


@pytest.fixture(scope='module')
def imports() -> Imports:
    """What every module of the package imports."""
    modules = {}
    for path in sorted((CODE / PACKAGE).rglob('*.py')):
        name = '.'.join(path.relative_to(CODE).with_suffix('').parts)
        modules[name] = list(imported_modules(path.read_text(encoding='utf-8'), name))
    return modules


def test_imports_go_downward(imports: Imports) -> None:
    assert not faults(imports), '\n'.join(faults(imports))


def test_no_part_imports_itself_through_others(imports: Imports) -> None:
    assert not cycles(imports)


def test_code_is_no_package() -> None:
    """An __init__.py in code/ would hide the standard library's module `code`."""
    assert not (CODE / '__init__.py').exists()


@pytest.mark.parametrize('importer, imported, allowed', [
    ('fashionai.codec.heatmaps', 'fashionai.garments.table.Garment', True),
    ('fashionai.training.loop', 'fashionai.inference.predictor', True),
    ('fashionai.training.loop', 'tensorflow.compat.v1', True),
    ('fashionai.images.geometry', 'numpy', True),
    ('fashionai.images.geometry', 'fashionai.codec.heatmaps', False),
    ('fashionai.dataflow.batches', 'fashionai.networks.catalog', False),
    ('fashionai.dataflow.batches', 'tensorflow', False),
    ('fashionai.codec.fields', 'tensorflow.compat.v1', False),
    ('fashionai.engines.frozen_graph', 'fashionai.tf_compat.graph_mode', False),
    ('fashionai.annotations', 'fashionai.cli.entry_point.resolve', False),
    ('fashionai.networks.catalog', 'fashionai.model_files.contract', False),
    ('fashionai.inference.predictor', 'fashionai.results.writers', False),
    ('fashionai.cli.inference_flags', 'fashionai.inference.loading', True),
    ('fashionai.novelty', 'fashionai.garments.table', False)])
def test_rule(importer: str, imported: str, allowed: bool) -> None:
    assert (fault(importer, imported) == '') == allowed


def test_imports_are_found_wherever_they_stand() -> None:
    source = 'import os.path\nfrom ..codec import heatmaps as maps\ndef load():\n    from . import layers\n'
    found = list(imported_modules(source, 'fashionai.networks.head'))
    assert found == ['os.path', 'fashionai.codec.heatmaps', 'fashionai.networks.layers']


def test_a_cycle_is_found() -> None:
    chain = {'fashionai.training.loop': ['fashionai.inference.windows'],
             'fashionai.codec.fields': ['fashionai.garments.table'],
             'fashionai.inference.windows': ['fashionai.synthetic'], 'fashionai.synthetic': ['fashionai.training']}
    assert cycles(chain) == ['inference', 'synthetic', 'training']
