"""LambdaCallback: functions as hooks."""

import pytest

from scratchnet.callbacks import Callback, LambdaCallback


def test_lambda_callback_takes_every_hook_and_ignores_none():
    hooks = [name for name in vars(Callback) if name.startswith("on_")]
    functions = {hook: (lambda *args: None) for hook in hooks}
    callback = LambdaCallback(**functions)
    assert all(getattr(callback, hook) is functions[hook] for hook in hooks)
    LambdaCallback(on_epoch_end=None).on_epoch_end(0, {})


def test_lambda_callback_names_what_is_no_hook():
    with pytest.raises(TypeError, match="'on_epoch_ends' is no hook; there are on_train_begin, "):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="'model' is no hook"):
        LambdaCallback(model=print)
    with pytest.raises(TypeError, match="on_epoch_end must be a function, got 3"):
        LambdaCallback(on_epoch_end=3)
