"""Request ids, the access log, metrics, and the websites that may use the service."""
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from fashionai.errors import InputError
from fashionai.serving.front import Front
from fashionai.serving.limits import Limits
from fashionai.serving.metrics import Metrics
from fashionai.serving.observing import Observer, open_access_log

LIMITS = Limits(megabytes=0.1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / 'access.log'


@pytest.fixture
def client(application: Callable, log: Path) -> Iterator[TestClient]:
    metrics = Metrics()
    front = Front(['testserver'], ['https://shop.example'], Observer(metrics, open_access_log(str(log))))
    front.open(application(LIMITS, metrics=metrics))
    with TestClient(front, raise_server_exceptions=False) as opened:
        yield opened


def lines(log: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def values(client: TestClient) -> Dict[str, float]:
    """The samples by their names, with the values of their labels behind."""
    answer = client.get('/metrics')
    assert answer.headers['content-type'].startswith('text/plain')
    return {' '.join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(answer.text) for sample in family.samples}


@pytest.mark.parametrize('given', ['abc-123', '0af7651916cd43dd', 'a' * 128])
def test_an_id_of_the_client_is_kept(client: TestClient, log: Path, given: str) -> None:
    assert client.get('/model', headers={'X-Request-Id': given}).headers['x-request-id'] == given
    assert [line['id'] for line in lines(log)] == [given]


@pytest.mark.parametrize('given', ['', 'a' * 129, 'a b', '"}\x7f', 'é'])
def test_an_id_that_is_not_sane_is_replaced(client: TestClient, given: str) -> None:
    made = {client.get('/health', headers={'X-Request-Id': given.encode()}).headers['x-request-id'] for _ in range(2)}
    assert len(made) == 2 and given not in made, 'each request has its own'


def test_each_request_is_one_line_of_the_access_log(client: TestClient, log: Path, encoded: Callable) -> None:
    body = encoded()
    client.post('/predict', content=body)
    client.post('/predict', files=[('pictures', body), ('pictures', body)])
    client.post('/predict', content=b'no picture')
    client.get('/model', headers={'Host': 'evil.example'})
    for probe in ('/health', '/ready', '/metrics'):
        assert client.get(probe).status_code == 200
    found = lines(log)
    assert [(line['method'], line['path'], line['status'], line['pictures']) for line in found] == [
        ('POST', '/predict', 200, 1), ('POST', '/predict', 200, 2), ('POST', '/predict', 415, 1),
        ('GET', '/model', 400, 0)], 'probes that succeed are left out'
    assert found[0]['bytes'] == len(body) and 2 * len(body) < found[1]['bytes'] < 2 * len(body) + 1000
    assert all(line['ms'] >= line['queue_ms'] >= 0 for line in found) and found[0]['ms'] > 0


def test_a_log_that_is_moved_away_is_begun_anew(client: TestClient, log: Path) -> None:
    client.get('/model')
    log.rename(log.with_suffix('.1'))
    client.get('/model')
    assert len(lines(log)) == len(lines(log.with_suffix('.1'))) == 1


def test_a_log_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='none/access.log'):
        open_access_log(str(tmp_path / 'none/access.log'))
    assert open_access_log('') is None


def test_metrics_count_requests_pictures_and_batches(client: TestClient, encoded: Callable) -> None:
    client.post('/predict', content=encoded())
    client.post('/predict', files=[('pictures', encoded()), ('pictures', b'no picture')])
    client.post('/predict', content=b'x' * 100_001)
    client.get('/some/path/that/varies')
    found = values(client)
    assert found['fashionai_requests_total /predict 200'] == 2 == found['fashionai_request_seconds_count 200']
    assert found['fashionai_requests_total /predict 413'] == found['fashionai_requests_total other 404'] == 1
    assert found['fashionai_pictures_total 200'] == 2 and found['fashionai_pictures_total 415'] == 1
    assert found['fashionai_batch_pictures_sum'] == found['fashionai_network_seconds_count'] == 2
    assert found['fashionai_queue_seconds_count'] == 3
    assert found['fashionai_queue_length'] == found['fashionai_busy_with'] == 0


def test_pages_of_a_named_website_may_read_answers(client: TestClient) -> None:
    own, other = 'https://shop.example', 'https://evil.example'
    asked = {'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-deadline-seconds'}
    allowed = client.options('/predict', headers={'Origin': own, **asked})
    assert allowed.status_code == 200 and allowed.headers['access-control-allow-origin'] == own
    answer = client.post('/predict', content=b'', headers={'Origin': own})
    assert answer.headers['access-control-allow-origin'] == own
    assert 'X-Request-Id' in answer.headers['access-control-expose-headers']
    assert client.options('/predict', headers={'Origin': other, **asked}).status_code == 400
    assert 'access-control-allow-origin' not in client.get('/model', headers={'Origin': other}).headers
