"""The place of an epoch in a pass over the data, counted out."""

import pytest

from scratchnet.training.epochs import place_in_pass, warn_of_the_end


@pytest.mark.parametrize(("batches", "steps"), [(1, 1), (5, 2), (6, 2), (6, 6), (3, 7), (4, None)])
def test_epochs_follow_one_another_through_pass_after_pass(batches, steps):
    seen, begun = [], 0
    for epoch in range(20):
        place, part = place_in_pass(epoch, steps, batches)
        if part.start == 0:
            begun = epoch
        assert epoch - place == begun and 1 <= len(part) <= (steps or batches)
        seen.extend(part)
    assert seen == [k % batches for k in range(len(seen))]


def test_of_data_without_numbers_an_epoch_takes_what_comes():
    assert place_in_pass(7, 3, None) == (0, range(3))
    place, part = place_in_pass(7, None, None)
    assert place == 0 and part.start == 0 and len(part) > 1e9


def test_only_an_epoch_that_is_too_short_is_told(recwarn):
    warn_of_the_end("training", 3, 3)
    assert not recwarn
    with pytest.warns(UserWarning, match="the test data ended after 2 batches of 3"):
        warn_of_the_end("test", 2, 3)
