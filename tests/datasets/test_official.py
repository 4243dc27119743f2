"""Reads the archives of the competition: small generated ones with the same layout."""
import numpy as np
import pytest

from fashionai.datasets.notes import new_notes
from fashionai.datasets.official import read_official
from fashionai.datasets.sources import open_sources
from fashionai.errors import InputError

S1, S2, S3, T1, T2 = (f'Images/{kind}/{number * 32}.jpg' for kind, number in (
    ('skirt', '1'), ('skirt', '2'), ('skirt', '3'), ('trousers', '4'), ('trousers', '5')))


def read(*paths):
    notes = new_notes()
    dataset = read_official(open_sources(paths), notes)
    return dataset, {what: names for what, names in notes.items() if names}


@pytest.fixture
def archives(made, tmp_path):
    """Warm-up, round 1, test A with its list, and the answers of the list; one image of A is also in round 1."""
    warm = made.tar(tmp_path / '[update] warm_up_train_20180222.tar', {
        'train/Annotations/annotations.csv': made.table(made.row(S1, 'skirt', waistband_left='1_2_1')),
        'train/' + S1: made.picture(1)})
    first = made.tar(tmp_path / 'fashionAI_key_points_train_20180227.tar.gz', {
        'train/Annotations/train.csv': made.table(made.row(S2, 'skirt', hemline_right='3_4_0'),
                                                  made.row(T1, 'trousers', crotch='5_6_1')),
        'train/' + S2: made.picture(2), 'train/' + T1: made.picture(3)}, 'w:gz')
    test_a = made.tar(tmp_path / 'fashionAI_key_points_test_a_20180227.tar', {
        'test/test.csv': made.table(f'{S2},skirt', f'{T2},trousers', top=made.start), 'test/' + S2: made.picture(2),
        'test/' + T2: made.picture(4), 'test/Images/trousers/6.jpg': made.picture(5)})
    answer = made.folder(tmp_path, {'fashionAI_key_points_test_a_answer_20180426.csv': made.table(
        made.row(S2, 'skirt', hemline_right='9_4_0'), made.row(T2, 'trousers', crotch='7_8_1'))})
    return warm, first, test_a, answer / 'fashionAI_key_points_test_a_answer_20180426.csv'


def test_a_test_set_with_answers_is_labelled_data(archives):
    dataset, notes = read(*archives)
    assert [(sample.image_id, sample.part, sample.picture) for sample in dataset.samples] == [
        (S1, '', (0, 'train/' + S1)), (S2, '', (1, 'train/' + S2)), (T1, '', (1, 'train/' + T1)),
        (S2, '', (1, 'train/' + S2)), (T2, '', (2, 'test/' + T2))]
    assert dataset.samples[0].keypoints[15].tolist() == [1, 2, 1], 'waistband_left is the 16th keypoint of the CSV'
    assert dataset.samples[4].keypoints[19].tolist() == [7, 8, 1]
    assert dataset.tables == [
        '[update] warm_up_train_20180222.tar: train/Annotations/annotations.csv: 1 labelled',
        'fashionAI_key_points_train_20180227.tar.gz: train/Annotations/train.csv: 2 labelled',
        'fashionAI_key_points_test_a_20180227.tar: test/test.csv: 2 unlabelled',
        'fashionAI_key_points_test_a_answer_20180426.csv: fashionAI_key_points_test_a_answer_20180426.csv: 2 labelled']
    assert notes == {'pictures without a row, left out': [
        'fashionAI_key_points_test_a_20180227.tar: test/Images/trousers/6.jpg']}


def test_a_test_set_without_answers_is_a_test_list_and_stays_whole(archives):
    dataset, notes = read(*archives[:3])
    assert [(sample.image_id, sample.part) for sample in dataset.samples] == [
        (S1, ''), (S2, ''), (T1, ''), (S2, 'test_a'), (T2, 'test_a')]
    assert dataset.samples[-1].keypoints is None and dataset.samples[-1].picture == (2, 'test/' + T2)
    assert notes['images of test_a that are labelled too, and trained on'] == [S2]


def test_lists_have_folders_by_where_their_pictures_are(made, tmp_path):
    names = {'fashionAI_key_points_test_b_20180418.zip': S1, 'round2_..._test_b_20180530.zip': S2, 'mine.zip': S3}
    paths = [made.zip(tmp_path / name, {'test.csv': made.table(f'{image},skirt', top=made.start),
                                        image: made.picture()}) for name, image in names.items()]
    dataset, _ = read(*paths, paths[0])
    assert [(sample.image_id, sample.part) for sample in dataset.samples] == [
        (S1, 'test_b'), (S2, 'test_b_2'), (S3, 'test')], 'and a list that is there twice is one'


def test_one_file_with_repeated_ids_keeps_them_all_and_rows_their_numbers(made, tmp_path):
    lines = [made.row(S1, 'skirt'), made.row(S2, 'skirt'), made.row(S1, 'skirt', crotch='1_1_1')]
    folder = made.folder(tmp_path / 'set', {'train.csv': made.table(*lines)})
    dataset, notes = read(folder)
    assert [sample.image_id for sample in dataset.samples] == [S1, S2, S1] and dataset.samples[2].picture is None
    np.testing.assert_array_equal(dataset.samples[2].keypoints[19], [1, 1, 1])
    made.folder(folder, {'train.csv': made.table(*lines, made.row(S1, 'skirt', crotch='x'))})
    with pytest.raises(InputError, match="^set: train.csv, row 5, column crotch: 'x'"):
        read(folder)


def test_rows_of_val_csv_are_for_validation(made, tmp_path):
    folder = made.folder(tmp_path / 'set', {'train/train.csv': made.table(made.row(S1, 'skirt')),
                                            'train/val.csv': made.table(made.row(S2, 'skirt'))})
    assert [(sample.image_id, sample.part) for sample in read(folder)[0].samples] == [(S1, ''), (S2, 'val')]


@pytest.mark.parametrize('image_id', ['../../x.jpg', 'Images/../x.jpg', '/etc/x.jpg', 'Images/skirt/x.exe', 'x.jpg'])
def test_ids_that_lead_elsewhere_are_refused(made, tmp_path, image_id):
    folder = made.folder(tmp_path / 'set', {'train.csv': made.table(made.row(image_id, 'skirt'))})
    with pytest.raises(InputError, match='set: train.csv: image_id .*Images/<type>/<file>.jpg'):
        read(folder)
