"""The image and the manifest start the service with flags that it has, and ask it at paths that it has."""
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import yaml
from fastapi.testclient import TestClient

from fashionai.cli import serve

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def container() -> Dict[str, Any]:
    """The container of the Deployment."""
    deployment, *_ = yaml.safe_load_all((PROJECT / 'deploy/kubernetes.yaml').read_text())
    found, = deployment['spec']['template']['spec']['containers']
    return {**found, 'grace': deployment['spec']['template']['spec']['terminationGracePeriodSeconds']}


def entry_point() -> List[str]:
    text = (PROJECT / 'Dockerfile').read_text().replace('\\\n', '')
    return json.loads(re.search(r'^ENTRYPOINT (.*)$', text, re.MULTILINE).group(1))


def test_the_image_and_the_manifest_start_the_service(container: Dict[str, Any]) -> None:
    program, command, *flags = entry_point()
    assert Path(program).name == 'fashionai' and command == 'serve'
    args = serve.parse([*flags, *container['args']])
    assert args.host == '0.0.0.0' and args.processes == 2
    assert container['ports'][0]['containerPort'] == args.port
    assert container['grace'] > 2 * args.seconds, 'requests that have begun are served to their end'


def test_probes_are_paths_of_the_service(container: Dict[str, Any], application: Callable) -> None:
    paths = [container[probe]['httpGet']['path'] for probe in ('startupProbe', 'readinessProbe', 'livenessProbe')]
    check = re.search(r'http://127\.0\.0\.1:(\d+)(/\w+)', (PROJECT / 'Dockerfile').read_text())
    assert int(check.group(1)) == serve.parse([]).port
    with TestClient(application()) as client:
        assert [client.get(path).status_code for path in [*paths, check.group(2)]] == [200] * 4


def test_the_image_has_no_more_than_the_service_needs() -> None:
    """What the wheel needs is not left out; tests and data are."""
    ignored = (PROJECT / '.dockerignore').read_text().split('\n')
    assert {'.git', 'tests', 'data', 'tmp'} <= set(ignored) and not {'code', 'submit', 'models'} & set(ignored)
