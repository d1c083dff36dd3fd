"""A layer and a model with `call` that draw random numbers and add a loss, for several processes to import."""

from scratchnet import layers, models, ops, random
from scratchnet.saving import register_keras_serializable
from scratchnet.utils import set_random_seed


@register_keras_serializable("tests")
class Noisy(layers.Layer):
    """Noise for each row, a factor for each half of it, and dropout in training."""

    def __init__(self, units, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.seed = units, seed
        self.dense = layers.Dense(units)

    def call(self, x, training=False):
        h = self.dense(x)
        h = h + 0.1 * random.normal(ops.shape(h), seed=self.seed)
        halves = ops.reshape(h, (-1, self.units // 2))  # two rows for a sample
        halves = halves * random.uniform(ops.shape(halves), 0.5, 1.5, seed=self.seed)
        h = ops.reshape(halves, (-1, self.units))
        return random.dropout(h, 0.3, seed=self.seed) if training else h


@register_keras_serializable("tests")
class Autoencoder(models.Model):
    """Layers in a list, one of them noisy; what lies between is kept small."""

    def __init__(self, units=6, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.seed = units, seed
        self.blocks = [Noisy(units, seed), layers.Dense(3, activation="tanh")]
        self.decoder = layers.Dense(4)

    def call(self, x, training=False):
        h = x
        for block in self.blocks:
            h = block(h)
        self.add_loss(0.01 * ops.mean(ops.square(h)))
        return self.decoder(h)


def compiled(seed=1, **options):
    set_random_seed(seed)
    model = Autoencoder(**options)
    model.compile("adam", "mse")
    return model
