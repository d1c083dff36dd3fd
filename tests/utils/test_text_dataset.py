"""Texts in folders as batches."""

import pytest

from scratchnet.utils import text_dataset_from_directory


@pytest.fixture
def folders(tmp_path):
    for name, texts in (("good", ["fine", "très bien"]), ("bad", ["poor"])):
        (tmp_path / name).mkdir()
        for k, text in enumerate(texts):
            (tmp_path / name / f"{k}.txt").write_text(text, encoding="utf-8")
    return tmp_path


def test_texts_have_the_label_of_their_folder(folders, capsys):
    data = text_dataset_from_directory(folders, shuffle=False, batch_size=2)
    assert capsys.readouterr().out == "Found 3 files belonging to 2 classes.\n"
    (x, y), (x_last, _) = data
    assert x.tolist() == ["poor", "fine"] and y.tolist() == [0, 1] and x_last.tolist() == ["très bien"]
    assert data.class_names == ["bad", "good"]


def test_no_more_than_the_first_letters(folders):
    data = text_dataset_from_directory(folders, labels=None, max_length=2, shuffle=False, verbose=False)
    assert [x.tolist() for x in data] == [["po", "fi", "tr"]]
