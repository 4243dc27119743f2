"""The service over HTTP: its predictions, its limits, and the reasons of its refusals."""
import base64
import csv
import io
import re
import zlib
from dataclasses import replace
from typing import Callable, Iterator, List

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from fashionai.garments.table import GARMENTS, Garments
from fashionai.images.crops import MARGIN
from fashionai.images.markers import marker_cells
from fashionai.inference.missing_keypoints import usual_points
from fashionai.serving.limits import Limits, Refusal
from fashionai.serving.uploads import decoded


@pytest.fixture(scope='module')
def client(application: Callable) -> Iterator[TestClient]:
    with TestClient(application(Limits(megabytes=0.1, megapixels=0.05))) as opened:
        yield opened


def test_a_garment_is_found_and_its_type_predicted(client: TestClient, encoded: Callable) -> None:
    answer = client.post('/predict', content=encoded()).json()
    assert answer['type'] == 'dress' and answer['type_sure'] and answer['heatmaps'] is None
    assert answer['type_probabilities']['dress'] == pytest.approx(0.97)
    assert answer['size'] == {'width': 120, 'height': 160}
    points = usual_points(GARMENTS['dress'], (160, 120))
    assert list(answer['keypoints']) == list(GARMENTS['dress'].keypoints)
    for (x, y), point in zip(points, answer['keypoints'].values()):
        assert (point['x'], point['y']) == pytest.approx((x, y), abs=0.01)
    scores = [point['score'] for point in answer['keypoints'].values()]
    assert scores[:3] == [0.125, 0, 1] and not answer['keypoints']['neckline_right']['found']
    assert answer['score_kind'] == 'height' and answer['keypoints']['neckline_left']['peak'] == 0.125
    assert answer['keypoints']['neckline_left']['visibility'] is None


def test_a_type_may_be_given_and_be_unsure(client: TestClient, encoded: Callable) -> None:
    assert client.post('/predict?tag=trousers', content=encoded()).json()['type_probabilities'] == {}
    answer = client.post('/predict', content=encoded(colour=(255, 0, 0))).json()
    assert answer['type'] == 'blouse' and not answer['type_sure']
    assert list(answer['type_probabilities'])[:2] == ['blouse', 'outwear']


def test_lengths_in_centimetres(client: TestClient, encoded: Callable) -> None:
    url = '/predict?tag=trousers&reference=bottom_left_in,bottom_left_out=20'
    answer = client.post(url, content=encoded()).json()
    names = GARMENTS['trousers'].keypoints
    points = dict(zip(names, usual_points(GARMENTS['trousers'], (160, 120))))
    wide = np.hypot(*(points['bottom_left_in'] - points['bottom_left_out']))
    assert answer['cm_per_pixel'] == pytest.approx(20 / wide)
    inseam = np.mean([np.hypot(*(points['crotch'] - points[f'bottom_{side}_in'])) for side in ('left', 'right')])
    assert answer['measurements']['inseam']['pixels'] == pytest.approx(inseam, abs=0.01)
    assert answer['measurements']['inseam']['cm'] == pytest.approx(inseam * 20 / wide, abs=0.01)
    assert answer['measurements']['waist'] == {
        'pixels': None, 'cm': None, 'score': None, 'doubtful': None}, 'an end was not found'


def test_a_length_by_its_name_gives_centimetres(client: TestClient, encoded: Callable) -> None:
    """As on the page, where the length of a picture is typed."""
    pixels = client.post('/predict?tag=trousers', content=encoded()).json()['measurements']['inseam']['pixels']
    answer = client.post('/predict?tag=trousers&reference=inseam=70', content=encoded()).json()
    assert answer['cm_per_pixel'] == pytest.approx(70 / pixels, rel=1e-4)
    assert answer['measurements']['inseam']['cm'] == pytest.approx(70, abs=0.01)
    assert client.post('/predict?tag=skirt&reference=inseam=70', content=encoded()).json()['cm_per_pixel'] is None


def test_a_table_of_lengths_says_what_json_says(client: TestClient, encoded: Callable) -> None:
    url = '/predict?tag=trousers&cm_per_pixel=0.5'
    answer = client.post(url, content=encoded()).json()
    response = client.post(f'{url}&format=lengths', content=encoded())
    assert response.headers['content-type'].startswith('text/csv')
    row, = csv.DictReader(io.StringIO(response.text))
    assert (row['path'], row['type'], row['unit'], row['cm_per_pixel']) == ('', 'trousers', 'cm', '0.5')
    assert {name: float(row[name]) if row[name] else None for name in answer['measurements']} == {
        name: length['cm'] for name, length in answer['measurements'].items()}
    assert row['waist'] == '' and 'not found' in row['waist_doubt'] and row['chest'] == row['error'] == ''


def test_a_form_becomes_a_table_and_says_what_failed(client: TestClient, encoded: Callable) -> None:
    files = [('pictures', ('a.png', encoded())), ('pictures', ('b, b.png', b'no picture'))]
    rows = list(csv.DictReader(io.StringIO(client.post('/predict?format=lengths', files=files).text)))
    assert [row['path'] for row in rows] == ['a.png', 'b, b.png'] and [row['type'] for row in rows] == ['dress', '']
    assert rows[0]['unit'] == 'px' and rows[0]['error'] == '' and 'JPEG' in rows[1]['error']


def test_each_box_is_a_row_of_the_table(client: TestClient, encoded: Callable) -> None:
    url = '/predict?tag=skirt&format=lengths&box=10,10,50,50'
    rows = list(csv.DictReader(io.StringIO(client.post(f'{url}&box=60,90,40,60', content=encoded()).text)))
    alone, = csv.DictReader(io.StringIO(client.post(url, content=encoded()).text))
    assert [row['garment'] for row in rows] == ['1', '2'] and rows[0] == alone and rows[0]['hem'] != rows[1]['hem']


def test_an_object_in_the_picture_gives_centimetres(client: TestClient, encoded: Callable) -> None:
    """A marker with sides of 90 pixels, and 5 cm."""
    picture = np.full((200, 200, 3), 90, np.uint8)
    marker = np.kron(np.pad(marker_cells(0), 1, mode='constant', constant_values=True) * 230, np.ones((15, 15)))
    picture[40:160, 40:160] = marker.astype(np.uint8)[..., None]
    data = cv2.imencode('.png', picture)[1].tobytes()
    answer = client.post('/predict?tag=trousers&scale=marker:5cm', content=data).json()
    assert answer['cm_per_pixel'] == pytest.approx(5 / 90, rel=0.01) and answer['scale_fault'] is None
    inseam = answer['measurements']['inseam']
    assert inseam['cm'] == pytest.approx(inseam['pixels'] * 5 / 90, rel=0.03)
    none = client.post('/predict?tag=trousers&scale=marker:5cm', content=encoded()).json()
    assert none['cm_per_pixel'] is None and 'marker 0' in none['scale_fault']
    assert none['measurements']['inseam']['cm'] is None and none['measurements']['inseam']['pixels'] > 0
    assert client.post('/predict?tag=trousers', content=encoded()).json()['scale_fault'] is None


def test_heic_is_read_or_named(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif, file = pytest.importorskip('pillow_heif'), io.BytesIO()
    pillow_heif.from_bytes('RGB', (96, 64), bytes(3 * 64 * 96)).save(file, quality=90)
    data = file.getvalue()
    assert client.post('/predict?tag=skirt', content=data).json()['size'] == {'width': 96, 'height': 64}
    monkeypatch.setattr('fashionai.serving.uploads.can_read_heic', lambda: False)
    refused = client.post('/predict?tag=skirt', content=data)
    assert refused.status_code == 415 and 'HEIC' in refused.json()['detail'] and 'JPEG' in refused.json()['detail']


def test_heat_maps_lie_over_the_picture(client: TestClient, encoded: Callable) -> None:
    answer = client.post('/predict?tag=skirt&heatmaps=true', content=encoded()).json()
    data = base64.b64decode(answer['heatmaps']['image'].split(',')[1])
    strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    tile = strip.reshape(4, -1, strip.shape[1])[2]
    row, column = np.unravel_index(tile.argmax(), tile.shape)
    left, top, width, height = answer['heatmaps']['box']
    place = (left + (column + 0.5) * width / tile.shape[1], top + (row + 0.5) * height / tile.shape[0])
    np.testing.assert_allclose(place, usual_points(GARMENTS['skirt'], (160, 120))[2], atol=160 / 48 / 2)


def test_exif_orientation_is_respected(client: TestClient, encoded: Callable) -> None:
    jpeg = encoded(ending='.jpg')
    tag = b'MM\0*\0\0\0\x08\0\x01' + b'\x01\x12\0\x03\0\0\0\x01\0\x06\0\0' + b'\0\0\0\0'  # turned by a quarter
    exif = b'Exif\0\0' + tag
    turned = jpeg[:2] + b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif + jpeg[2:]
    assert client.post('/predict', content=turned).json()['size'] == {'width': 160, 'height': 120}


@pytest.mark.parametrize('status, body, url, why', [
    (415, b'no picture', '', '10 bytes .*JPEG'),
    (422, b'', '', r'\b0 bytes'),
    (413, b'x' * 100_001, '', '0.1 MB'),
    (422, None, '?tag=hat', "'hat'.* auto, blouse, dress"),
    (422, None, '?cm_per_pixel=0', 'cm_per_pixel: '),
    (422, None, '?scale=a5', 'a5'), (422, None, '?scale=a4&cm_per_pixel=1', 'scale'),
    (422, None, '?cm_per_pixel=1&reference=crotch,waistband_left=2', 'cm_per_pixel, .*reference'),
    (422, None, '?reference=sock', "'sock'"), (422, None, '?reference=sock=5', "'sock'.*chest"),
    (422, None, '?reference=chest=wide', "'chest=wide'"), (422, None, '?reference=chest=-1', "'chest=-1'"),
    (422, None, '?format=xml', "'xml'.*lengths"), (422, None, '?deadline=0', 'deadline: ')])
def test_refusals_say_why(client: TestClient, encoded: Callable, status: int, body: bytes, url: str, why: str) -> None:
    response = client.post(f'/predict{url}', content=encoded() if body is None else body)
    assert response.status_code == status and re.search(why, response.json()['detail'])


def test_a_reference_is_of_the_table_that_is_served(application: Callable, encoded: Callable) -> None:
    own = Garments((replace(GARMENTS['skirt'], name='sock', keypoints=('heel', 'toe'), limbs=(('heel', 'toe'),),
                            normaliser=('heel', 'toe'), csv_keypoints=('heel', 'toe')),))
    with TestClient(application(predicted_types=(), garments=own)) as client:
        assert client.post('/predict?tag=sock&reference=heel,toe=2', content=encoded()).status_code == 200
        response = client.post('/predict?tag=sock&reference=waistband_left,waistband_right=2', content=encoded())
        assert response.status_code == 422 and 'heel, toe' in response.json()['detail']


def test_large_and_damaged_pictures(client: TestClient, encoded: Callable) -> None:
    response = client.post('/predict', content=encoded(1000, 51))
    assert response.status_code == 413 and '1000 x 51' in response.json()['detail']
    response = client.post('/predict', content=encoded()[:60])
    assert response.status_code == 422 and '60 bytes' in response.json()['detail']


@pytest.mark.parametrize('side, why', [
    (12_000, '12000 x 12000 .*144.0 .*25 million'),
    (60_000, '60000 x 60000 .*3600.0 .*25 million')])
def test_pixels_are_bounded_before_they_are_decoded(encoded: Callable, monkeypatch: pytest.MonkeyPatch, side: int,
                                                    why: str) -> None:
    picture = bytearray(encoded())
    picture[16:24] = side.to_bytes(4, 'big') * 2  # says the header
    picture[29:33] = zlib.crc32(picture[12:29]).to_bytes(4, 'big')
    monkeypatch.setattr('fashionai.serving.uploads.decode_upright', lambda *_: pytest.fail('decoded'))
    with pytest.raises(Refusal, match=why) as refused:
        decoded(bytes(picture), Limits())
    assert refused.value.status == 413


def test_the_smallest_picture(client: TestClient, encoded: Callable) -> None:
    assert client.post('/predict', content=encoded(1, 1)).json()['size'] == {'width': 1, 'height': 1}


def test_bytes_are_counted_as_they_come(client: TestClient) -> None:
    sent: List[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(40):
            sent.append(number)
            yield b'x' * 10_000
    assert client.post('/predict', content=chunks()).status_code == 413


def test_card_health_and_description(client: TestClient) -> None:
    card = client.get('/model').json()
    assert list(card['types']) == card['told_types'] == list(GARMENTS)
    assert card['types']['skirt']['lengths']['waist'] == ['waistband_left > waistband_right']
    assert card['types']['skirt']['side_limits'] == {'side': 1.4} and card['clearly'] == 0.3
    assert ['side', 'body_length', 1, 1.28] in card['types']['skirt']['pair_limits']
    assert client.get('/health').json() == {'status': 'ok', 'busy_with': 0}
    assert client.get('/ready').json() == {'status': 'ready'}
    predict = client.get('/openapi.json').json()['paths']['/predict']['post']
    assert set(predict['responses']) == {'200', '408', '413', '415', '422', '503', '504'}
    assert 'image/*' in predict['requestBody']['content']


def test_pages_are_the_services_own(client: TestClient) -> None:
    for url in ('/', '/docs', '/main.js', '/style.css'):
        response = client.get(url)
        assert response.status_code == 200 and 'https://' not in response.text.replace('https://www.w3.org', '')
        assert "default-src 'self'" in response.headers['content-security-policy']
    assert client.get('/nowhere').json() == {'detail': 'Not Found'}


def test_networks_that_predict_no_types_need_the_type(application: Callable, encoded: Callable) -> None:
    with TestClient(application(predicted_types=())) as client:
        refused = client.post('/predict?tag=auto', content=encoded())
        assert re.search("'auto'.* blouse", refused.json()['detail'])
        assert client.post('/predict', content=encoded()).status_code == 422
        assert client.post('/predict?tag=skirt', content=encoded()).status_code == 200


def test_a_preview_is_the_upright_picture_as_a_small_jpeg(application: Callable) -> None:
    tall = np.zeros((2000, 100, 3), np.uint8)
    tall[:1000] = 0, 0, 255
    with TestClient(application()) as client:
        response = client.post('/preview', content=cv2.imencode('.tif', tall)[1].tobytes())
        assert response.status_code == 200 and response.headers['content-type'] == 'image/jpeg'
        shown = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape == (1600, 80, 3) and shown[100, 40, 2] > 200 > 50 > shown[1500, 40, 2]


@pytest.mark.parametrize('content, status', [(b'no picture', 415), (b'', 422), (bytes(120_000), 413)])
def test_no_preview_of_what_is_refused(client: TestClient, content: bytes, status: int) -> None:
    response = client.post('/preview', content=content)
    assert response.status_code == status and response.json()['detail']


def test_a_box_is_a_part_of_the_picture(client: TestClient, encoded: Callable) -> None:
    """Points are the usual ones of the part, which the margin makes larger than the box."""
    margin = MARGIN * 70
    answer = client.post('/predict?tag=skirt&heatmaps=true&box=40.5,30,49,70', content=encoded()).json()
    left, top = int(40.5 - margin), int(30 - margin)
    width, height = int(np.ceil(89.5 + margin)) - left, int(np.ceil(100 + margin)) - top
    assert answer['box'] == [40.5, 30, 49, 70] and answer['size'] == {'width': 120, 'height': 160}
    points = usual_points(GARMENTS['skirt'], (height, width)) + (left, top)
    for (x, y), point in zip(points, answer['keypoints'].values()):
        assert (point['x'], point['y']) == pytest.approx((x, y), abs=0.01)
    assert answer['heatmaps']['box'][:2] == pytest.approx((left - 0.5, top - 0.5), abs=3)
    assert answer['heatmaps']['box'][2:] == pytest.approx((width, height), abs=6)
    assert client.post('/predict', content=encoded()).json()['box'] is None


def test_several_boxes_are_several_garments(client: TestClient, encoded: Callable) -> None:
    url = '/predict?tag=skirt&box=10,10,50,50&box=60,90,40,60'
    garments = client.post(url, content=encoded()).json()['garments']
    assert [garment['box'] for garment in garments] == [[10, 10, 50, 50], [60, 90, 40, 60]]
    for garment in garments:
        alone = client.post(f'/predict?tag=skirt&box={",".join(map(str, garment["box"]))}', content=encoded()).json()
        assert garment['keypoints'] == alone['keypoints'] and garment['measurements'] == alone['measurements']
    form = client.post(url, files={'picture': ('a.png', encoded())}).json()
    assert [garment['keypoints'] for garment in form['garments']] == [garment['keypoints'] for garment in garments]


@pytest.mark.parametrize('query, why', [
    ('box=1,2,3', '1,2,3'), ('box=a,2,3,4', 'a,2,3,4'), ('box=1,2,0,4', '1,2,0,4'), ('box=nan,2,3,4', 'nan'),
    ('box=1,2,3,4&box=', "''"), ('box=120,0,9,9', '120 x 160'), ('&'.join(['box=1,2,30,40'] * 9), '9 .*8')])
def test_bad_boxes_are_refused(client: TestClient, encoded: Callable, query: str, why: str) -> None:
    response = client.post(f'/predict?tag=skirt&{query}', content=encoded())
    assert response.status_code == 422 and re.search(why, response.json()['detail'])


def test_boxes_are_of_one_picture(client: TestClient, encoded: Callable) -> None:
    files = [('pictures', ('a.png', encoded())), ('pictures', ('b.png', encoded()))]
    response = client.post('/predict?box=1,2,30,40', files=files)
    assert response.status_code == 422 and 'picture' in response.json()['detail']


def test_lengths_of_a_users_own_are_measured(application: Callable, encoded: Callable) -> None:
    path = 'crotch > bottom_left_in > bottom_left_out'
    own = Garments(tuple(replace(garment, lengths=(('leg', (path,)),)) if garment.name == 'trousers' else garment
                         for garment in GARMENTS.values()))
    points = dict(zip(GARMENTS['trousers'].keypoints, usual_points(GARMENTS['trousers'], (160, 120))))
    crotch, inner, outer = (points[name] for name in path.split(' > '))
    pixels = np.hypot(*(crotch - inner)) + np.hypot(*(inner - outer))
    with TestClient(application(garments=own)) as client:
        assert client.get('/model').json()['types']['trousers']['lengths']['leg'] == [path]
        answer = client.post('/predict?tag=trousers&reference=leg=80', content=encoded()).json()
        table = client.post('/predict?tag=trousers&reference=leg=80&format=lengths', content=encoded()).text
    assert answer['measurements']['leg']['pixels'] == pytest.approx(pixels, abs=0.01)
    assert answer['cm_per_pixel'] == pytest.approx(80 / pixels)
    row, = csv.DictReader(io.StringIO(table))
    assert (row['leg'], row['unit'], row['inseam']) == ('80', 'cm', f"{answer['measurements']['inseam']['cm']:g}")
