"""What editors list of a layer and of a model."""

from scratchnet.layers import Dense, Input
from scratchnet.layers.completion import BETWEEN_OURSELVES
from scratchnet.models import Model, Sequential

X = Input((3,))
MODELS = (Sequential([Input((3,)), Dense(2)]), Model(X, Dense(2)(X)))


def test_what_the_parts_of_the_library_ask_one_another_is_not_listed():
    for thing in (*MODELS, MODELS[0].layers[0]):
        assert not BETWEEN_OURSELVES & set(dir(thing))


def test_what_users_look_for_is():
    for name in ("fit", "predict", "summary", "layers", "get_weights", "params", "forward", "backward", "penalty"):
        assert all(name in dir(model) for model in MODELS)


def test_each_hidden_name_exists():
    names = set()
    for thing in (*MODELS, MODELS[0].layers[0]):
        names |= set(vars(thing)).union(*(vars(cls) for cls in type(thing).__mro__))
    assert names >= BETWEEN_OURSELVES, BETWEEN_OURSELVES - names
