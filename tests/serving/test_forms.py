"""Pictures that come in forms: one, or several at once, with the limits of single ones."""
from typing import Any, Callable, Iterator, List, Tuple

import pytest
from fastapi.testclient import TestClient

from fashionai.serving.forms import FormReader
from fashionai.serving.limits import Limits, Refusal

BOUNDARY = b'cut-here'


def form(*parts: Tuple[str, bytes]) -> bytes:
    """A form by hand, as RFC 7578 has it."""
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="a.png"\r\n\r\n%s\r\n'
    return b''.join(head % (BOUNDARY, name.encode(), data) for name, data in parts) + b'--%s--\r\n' % BOUNDARY


def reader(**limits: Any) -> FormReader:
    return FormReader(f'multipart/form-data; boundary={BOUNDARY.decode()}', Limits(**limits))


@pytest.fixture(scope='module')
def client(application: Callable) -> Iterator[TestClient]:
    with TestClient(application(Limits(megabytes=0.1, megapixels=0.05, pictures=4, waiting=4, queue=2))) as opened:
        yield opened


def test_one_picture_is_answered_like_a_body(client: TestClient, encoded: Callable) -> None:
    alone = client.post('/predict?tag=skirt', content=encoded()).json()
    in_form = client.post('/predict?tag=skirt', files={'picture': ('skirt.png', encoded())}).json()
    assert {**in_form, 'seconds': 0} == {**alone, 'seconds': 0}


def test_several_pictures_are_answered_in_their_order_and_a_bad_one_alone_has_no_answer(client: TestClient,
                                                                                        encoded: Callable) -> None:
    pictures = [('a.png', encoded()), ('b.png', encoded(1000, 51)), ('c.png', b'no picture'),
                ('d.png', encoded(colour=(0, 255, 0)))]
    answer = client.post('/predict', files=[('pictures', each) for each in pictures])
    found = answer.json()['pictures']
    assert answer.status_code == 200 and [each['name'] for each in found] == ['a.png', 'b.png', 'c.png', 'd.png']
    assert [each['status'] for each in found] == [200, 413, 415, 200]
    assert [each['answer']['type'] for each in found if each['answer']] == ['dress', 'skirt']
    assert '1000 x 51' in found[1]['detail'] and found[0]['detail'] is None


def test_a_fault_of_the_program_takes_no_answer_of_another(application: Callable, encoded: Callable,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    bad = encoded(7, 7)

    def failing(data: bytes, limits: Limits) -> Any:
        if data == bad:
            raise KeyError('a fault')
        return decoded(data, limits)
    from fashionai.serving.uploads import decoded
    monkeypatch.setattr('fashionai.serving.app.decoded', failing)
    with TestClient(application()) as client:
        found = client.post('/predict', files=[('pictures', bad), ('pictures', encoded())]).json()['pictures']
    assert [each['status'] for each in found] == [500, 200]


@pytest.mark.parametrize('status, fields', [
    (422, [('file', b'x')]), (422, [('tag', b'skirt'), ('picture', b'x')]), (422, [('picture', b'x')] * 2),
    (422, [('picture', b'x'), ('pictures', b'x')]), (413, [('pictures', b'x')] * 5),
    (413, [('picture', b'x' * 100_001)]), (413, [('pictures', b'x'), ('pictures', b'x' * 100_001)]),
    (415, [('picture', b'x')]), (422, [])])
def test_forms_that_are_refused(client: TestClient, status: int, fields: List[Tuple[str, bytes]]) -> None:
    answer = client.post('/predict', content=form(*fields), headers={
        'Content-Type': f'multipart/form-data; boundary={BOUNDARY.decode()}'})
    assert answer.status_code == status and answer.json()['detail']


@pytest.mark.parametrize('kind', ['multipart/form-data', 'multipart/form-data; boundary='])
def test_a_form_without_a_boundary_is_refused(client: TestClient, kind: str) -> None:
    assert client.post('/predict', content=form(('picture', b'x')), headers={'Content-Type': kind}).status_code == 422


def test_a_form_that_does_not_fit_into_the_queue_is_refused_as_a_whole(application: Callable,
                                                                       encoded: Callable) -> None:
    with TestClient(application(Limits(waiting=2, queue=1, pictures=8))) as client:
        two, three = ([('pictures', encoded())] * count for count in (2, 3))
        assert client.post('/predict', files=two).status_code == 200
        assert client.post('/predict', files=three).status_code == 413, 'never more than are processed at a time'


@pytest.mark.parametrize('step', [1, 2, 7, 1000])
def test_a_form_is_read_however_it_is_cut(step: int) -> None:
    """Also a picture with line ends and with most of the boundary in it."""
    pictures = [b'\r\n--cut-her', b'', bytes(range(256)), b'\r\n--cut-here'[:-1] + b'\r\n']
    body, made = form(*[('pictures', data) for data in pictures]), reader()
    for start in range(0, len(body), step):
        made.take(body[start:start + step])
    result = made.result()
    assert [upload.data for upload in result.uploads] == pictures and result.several


@pytest.mark.parametrize('body', [b'no form', form(('picture', b'x'))[:-9], b'--cut-here\r\nA' + b'a' * 100_000,
                                  b'--cut-here\r\n' + b'A: b\r\n' * 1000])
def test_a_damaged_form_is_refused_and_takes_no_memory(body: bytes) -> None:
    made = reader()
    with pytest.raises(Refusal) as refused:
        made.take(body)
        made.result()
    assert refused.value.status == 422
