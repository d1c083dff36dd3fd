"""Programs with classes that define `call`, as their users write them: one source for Keras and for scratchnet.

Each function takes a namespace with ``Layer, Model, layers, ops, losses`` and returns ``(model, x, y, loss)``: a model
that is not built, its data, and the loss for compile. Random numbers come in as data, so that both draw the same.
"""

import numpy as np


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def uniforms(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape).astype("float32")


def p1_autoencoder(ns):
    """Two Sequentials, and layers in a list."""

    class Autoencoder(ns.Model):
        def __init__(self, latent_dim):
            super().__init__()
            self.latent_dim = latent_dim
            self.encoder = ns.Sequential([ns.layers.Flatten(), ns.layers.Dense(latent_dim, activation="relu")])
            self.hidden = [ns.layers.Dense(6, activation="tanh") for _ in range(2)]
            self.decoder = ns.Sequential([ns.layers.Dense(12, activation="sigmoid"), ns.layers.Reshape((4, 3))])

        def call(self, x):
            encoded = self.encoder(x)
            for layer in self.hidden:
                encoded = layer(encoded)
            return self.decoder(encoded)

    x = uniforms(40, 4, 3)
    return Autoencoder(5), x, x, ns.losses.MeanSquaredError()


def p2_vae_lambda(ns):
    """A Lambda that samples, and add_loss in call."""

    def sampling(args):
        z_mean, z_log_var, epsilon = args
        return z_mean + ns.ops.exp(0.5 * z_log_var) * epsilon

    class VAE(ns.Model):
        def __init__(self):
            super().__init__()
            self.hidden = ns.layers.Dense(8, activation="relu")
            self.mean, self.log_var = ns.layers.Dense(2), ns.layers.Dense(2)
            self.sample = ns.layers.Lambda(sampling, output_shape=(2,))
            self.out = ns.layers.Dense(6, activation="sigmoid")

        def call(self, inputs):
            h = self.hidden(inputs["x"])
            z_mean, z_log_var = self.mean(h), self.log_var(h)
            kl = 1 + z_log_var - ns.ops.square(z_mean) - ns.ops.exp(z_log_var)
            self.add_loss(-0.5 * ns.ops.mean(ns.ops.sum(kl, axis=-1)) / 6)
            return self.out(self.sample([z_mean, z_log_var, inputs["noise"]]))

    x = uniforms(48, 6)
    return VAE(), {"x": x, "noise": numbers(48, 2, seed=1)}, x, "binary_crossentropy"


def p3_vae_layers(ns):
    """Layers within layers, three levels deep; the loss is added in the innermost, a sum divided by the batch."""

    class Sampling(ns.Layer):
        def call(self, inputs):
            z_mean, z_log_var, epsilon = inputs
            batch = ns.ops.shape(z_mean)[0]
            kl = ns.ops.sum(1 + z_log_var - z_mean**2 - ns.ops.exp(z_log_var))
            self.add_loss(-0.05 * kl / ns.ops.cast(batch, "float32"))
            return z_mean + ns.ops.exp(0.5 * z_log_var) * epsilon

    class Encoder(ns.Layer):
        def __init__(self, latent_dim=2, intermediate_dim=8, name="encoder", **kwargs):
            super().__init__(name=name, **kwargs)
            self.dense_proj = ns.layers.Dense(intermediate_dim, activation="relu")
            self.dense_mean = ns.layers.Dense(latent_dim)
            self.dense_log_var = ns.layers.Dense(latent_dim)
            self.sampling = Sampling()

        def call(self, inputs, noise):
            x = self.dense_proj(inputs)
            z_mean, z_log_var = self.dense_mean(x), self.dense_log_var(x)
            return z_mean, z_log_var, self.sampling((z_mean, z_log_var, noise))

    class VariationalAutoEncoder(ns.Model):
        def __init__(self, name="autoencoder", **kwargs):
            super().__init__(name=name, **kwargs)
            self.encoder = Encoder()
            self.decoder = ns.Sequential([ns.layers.Dense(8, activation="relu"), ns.layers.Dense(6, "sigmoid")])

        def call(self, inputs):
            x, noise = inputs
            z_mean, z_log_var, z = self.encoder(x, noise)
            return self.decoder(z)

    x = uniforms(48, 6)
    return VariationalAutoEncoder(), [x, numbers(48, 2, seed=1)], x, ns.losses.MeanSquaredError()


def p4_siamese(ns):
    """A dict of inputs, a layer used twice, a loss that is a function and gives one number."""

    class Siamese(ns.Model):
        def __init__(self):
            super().__init__()
            self.embedding = ns.Sequential([ns.layers.Dense(6, "tanh"), ns.layers.Dense(3)])

        def call(self, inputs):
            a, b = self.embedding(inputs["left"]), self.embedding(inputs["right"])
            squared = ns.ops.sum(ns.ops.square(a - b), axis=1, keepdims=True)
            return ns.ops.sqrt(ns.ops.maximum(squared, 1e-7))

    def contrastive_loss(y_true, y_pred):
        square_pred = ns.ops.square(y_pred)
        margin_square = ns.ops.square(ns.ops.maximum(1.0 - y_pred, 0.0))
        return ns.ops.mean((1 - y_true) * square_pred + y_true * margin_square)

    x = {"left": numbers(40, 5), "right": numbers(40, 5, seed=1)}
    y = (numbers(40, 1, seed=2) > 0).astype("float32")
    return Siamese(), x, y, contrastive_loss


def p5_mlp_block(ns):
    """Weights of one's own, a regularizing layer, blocks in blocks."""

    class Linear(ns.Layer):
        def __init__(self, units=32, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
            self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

        def call(self, inputs):
            return ns.ops.matmul(inputs, self.w) + self.b

    class ActivityRegularization(ns.Layer):
        def __init__(self, rate=1e-2):
            super().__init__()
            self.rate = rate

        def call(self, inputs):
            self.add_loss(self.rate * ns.ops.mean(inputs))
            return inputs

    class MLPBlock(ns.Layer):
        def __init__(self):
            super().__init__()
            self.linear_1, self.linear_2, self.linear_3 = Linear(6), Linear(6), Linear(1)
            self.regularization = ActivityRegularization(0.1)

        def call(self, inputs):
            x = ns.ops.relu(self.linear_1(inputs))
            x = self.regularization(ns.ops.relu(self.linear_2(x)))
            return self.linear_3(x)

    class MLP(ns.Model):
        def __init__(self):
            super().__init__()
            self.block = MLPBlock()

        def call(self, x):
            return self.block(x)

    return MLP(), numbers(40, 4), numbers(40, 1, seed=1), "mse"


def p6_residual(ns):
    """Convolutions, a shortcut by ``+=``, layers appended to a list."""

    class Residual(ns.Layer):
        def __init__(self, filters, **kwargs):
            super().__init__(**kwargs)
            self.convolutions = []
            for _ in range(2):
                self.convolutions.append(ns.layers.Conv2D(filters, 3, padding="same", activation="relu"))

        def call(self, inputs):
            x = inputs
            for layer in self.convolutions:
                x = layer(x)
            x += inputs
            return x

    class ResNet(ns.Model):
        def __init__(self):
            super().__init__()
            self.stem = ns.layers.Conv2D(3, 3)
            self.blocks = [Residual(3), Residual(3)]
            self.pool = ns.layers.GlobalAveragePooling2D()
            self.top = ns.layers.Dense(4, activation="softmax")

        def call(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            return self.top(self.pool(x))

    labels = np.random.default_rng(3).integers(0, 4, 36)
    return ResNet(), numbers(36, 6, 6, 2), labels, "sparse_categorical_crossentropy"


def p7_attention(ns):
    """Attention over time: own weights and a single number, a softmax over axis 1, constants of NumPy, slices."""

    class AttentionPooling(ns.Layer):
        def build(self, input_shape):
            self.query = self.add_weight(shape=(input_shape[-1], 1), initializer="glorot_uniform", name="query")
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            scores = ns.ops.matmul(x, self.query) * self.scale + np.linspace(0, 1, 5)[:, None]
            weights = ns.ops.softmax(scores, axis=1)
            return ns.ops.sum(x * weights, axis=1) - x[:, -1] * np.float64(0.5)

    class Reader(ns.Model):
        def __init__(self):
            super().__init__()
            self.project = ns.layers.Dense(4, activation="tanh")
            self.pooling = AttentionPooling()
            self.top = ns.layers.Dense(1)

        def call(self, x):
            return self.top(self.pooling(self.project(x))[:, 1:])

    def huber(y_true, y_pred):
        error = y_true - y_pred
        small = ns.ops.abs(error) <= 0.5
        return ns.ops.where(small, 0.5 * ns.ops.square(error), 0.5 * (ns.ops.abs(error) - 0.25))

    return Reader(), numbers(40, 5, 3), numbers(40, 1, seed=1), huber


def p8_across_samples(ns):
    """`training`, a weight of the model itself, sizes in shapes, a loss that looks across samples."""

    class Centred(ns.Model):
        def __init__(self):
            super().__init__()
            self.dense = ns.layers.Dense(4)
            self.gain = self.add_weight(shape=(1,), initializer="ones", name="gain")

        def call(self, x, training=None):
            h = self.dense(x)
            pairs = ns.ops.reshape(h, (ns.ops.shape(h)[0] * 2, 2))
            h = ns.ops.reshape(ns.ops.tanh(pairs), (-1, 4))
            if training:
                h = h - ns.ops.mean(h, axis=0)
            return h * self.gain

    def correlation(y_true, y_pred):
        centred_true = y_true - ns.ops.mean(y_true, axis=0)
        centred_pred = y_pred - ns.ops.mean(y_pred, axis=0)
        norms = ns.ops.sum(centred_true**2) * ns.ops.sum(centred_pred**2)
        return 1 - ns.ops.sum(centred_true * centred_pred) / ns.ops.sqrt(norms + 1e-6)

    return Centred(), numbers(40, 3), numbers(40, 4, seed=1), correlation


def p9_regularized(ns):
    """Regularizers of outputs, and one of one's own, of a kernel."""

    class Cubes(ns.regularizers.Regularizer):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return self.factor * ns.ops.sum(ns.ops.abs(x) ** 3)

    class Inner(ns.Layer):
        def __init__(self):
            super().__init__(activity_regularizer="l2")
            self.dense = ns.layers.Dense(4, activation="tanh", kernel_regularizer=Cubes(0.02))

        def call(self, x):
            return self.dense(x) * 2

    model = ns.Sequential(
        [
            ns.layers.LSTM(5, return_sequences=True, activity_regularizer="l1"),
            ns.layers.Flatten(),
            Inner(),
            ns.layers.Dense(3, activation="softmax", activity_regularizer=ns.regularizers.L2(0.3)),
        ]
    )
    return model, numbers(40, 4, 2), np.random.default_rng(1).integers(0, 3, 40), "sparse_categorical_crossentropy"


PROGRAMS = [p1_autoencoder, p2_vae_lambda, p3_vae_layers, p4_siamese, p5_mlp_block, p6_residual, p7_attention]
PROGRAMS += [p8_across_samples, p9_regularized]


def fixed_weights(model):
    """Weights that depend on nothing but their shapes and their order."""
    return [0.5 * numbers(*w.shape, seed=100 + k) for k, w in enumerate(model.get_weights())]


def run(ns, program, steps=5):
    """``{name: array}``: the outputs before training, the losses of some steps of SGD, weights and outputs behind."""
    model, x, y, loss = program(ns)
    model(x)  # builds it
    model.set_weights(fixed_weights(model))
    results = {"before": np.asarray(model.predict(x, verbose=0))}
    model.compile(ns.SGD(0.1), loss)
    losses = model.fit(x, y, batch_size=len(y), epochs=steps, shuffle=False, verbose=0).history["loss"]
    results["losses"] = np.array(losses)
    results["evaluated"] = np.array(model.evaluate(x, y, batch_size=len(y), verbose=0))
    results["after"] = np.asarray(model.predict(x, verbose=0))
    results.update((f"weight_{k}", np.asarray(w)) for k, w in enumerate(model.get_weights()))
    return results


def main():
    """Write what Keras computes to the file beside this one."""
    import keras

    class Namespace:
        Layer, Model, Sequential = keras.layers.Layer, keras.Model, keras.Sequential
        layers, ops, losses, regularizers = keras.layers, keras.ops, keras.losses, keras.regularizers
        SGD = keras.optimizers.SGD

    values = {}
    for program in PROGRAMS:
        keras.utils.clear_session()
        values.update((f"{program.__name__}/{key}", value) for key, value in run(Namespace, program).items())
    np.savez_compressed(__file__.replace(".py", ".npz"), **values)


if __name__ == "__main__":
    main()
