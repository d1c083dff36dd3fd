"""Checks of arguments: integers, numbers and their bounds, words in any case."""

import numpy as np
import pytest

from scratchnet import checks
from scratchnet.layers import Conv2D, Flatten, MaxPooling2D, UpSampling2D


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_one_or_two_positive_integers():
    assert MaxPooling2D(3).pool_size == MaxPooling2D([3, 3]).pool_size == (3, 3)
    assert MaxPooling2D((1, 2)).strides == (1, 2) and MaxPooling2D(1, strides=2).strides == (2, 2)
    for value, message in (
        ((1, 2, 3), "size must be one or two positive integers, got (1, 2, 3)"),
        ((1,), "size must be one or two positive integers, got (1,)"),
        (0, "size must be a positive integer, got 0"),
        (True, "size must be a positive integer, got True"),
        ((2, 1.5), "size must be a positive integer, got 1.5"),
    ):
        assert said(lambda value=value: UpSampling2D(value, name="u")) == f'UpSampling2D "u": {message}'
    for cls, arguments in (
        (Conv2D, {"filters": 2, "kernel_size": 3, "strides": 1, "dilation_rate": 1}),
        (MaxPooling2D, {"pool_size": 3, "strides": 1}),
    ):
        for argument in arguments:
            assert said(lambda cls=cls, given={**arguments, argument: 0}: cls(**given, name="x")) == (
                f'{cls.__name__} "x": {argument} must be a positive integer, got 0'
            )


def test_numbers_and_their_bounds():
    layer = Flatten(name="f")
    assert checks.check_number(layer, "p", 0) == 0.0 and isinstance(checks.check_number(layer, "p", 0), float)
    assert checks.check_number(layer, "p", np.float32(0.5), below=1) == 0.5
    assert said(lambda: checks.check_number(layer, "p", -1)) == (
        'Flatten "f": p must be a finite number of at least 0, got -1'
    )
    assert said(lambda: checks.check_number(layer, "p", 1, below=1)) == (
        'Flatten "f": p must be a number in [0, 1), got 1'
    )
    assert checks.check_number(layer, "p", 1, at_most=1) == 1
    assert said(lambda: checks.check_number(layer, "p", 1.5, at_most=1)) == (
        'Flatten "f": p must be a number in [0, 1], got 1.5'
    )


def test_paddings_are_words_in_any_case():
    assert MaxPooling2D(padding="SAME").padding == "same" and MaxPooling2D(padding="Valid").padding == "valid"
    for wrong in ("full", None, 1):
        message = f'MaxPooling2D "m": padding must be "valid" or "same", got {wrong!r}'
        assert said(lambda wrong=wrong: MaxPooling2D(padding=wrong, name="m")) == message
