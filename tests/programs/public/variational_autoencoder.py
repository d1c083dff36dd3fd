import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(0)
x_train = (rng.random((160, 12)) > 0.5).astype("float32")
latent_dim = 2


class Sampling(layers.Layer):
    """Draws z from N(mean, exp(log_var)), and adds the Kullback-Leibler divergence from N(0, 1) to the loss."""

    def call(self, inputs):
        z_mean, z_log_var = inputs
        kl = -0.5 * ops.mean(z_log_var - ops.square(z_mean) - ops.exp(z_log_var) + 1)
        self.add_loss(kl)
        epsilon = keras.random.normal(shape=ops.shape(z_mean))
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


inputs = keras.Input(shape=(12,))
h = layers.Dense(8, activation="relu")(inputs)
z_mean = layers.Dense(latent_dim, name="z_mean")(h)
z_log_var = layers.Dense(latent_dim, name="z_log_var")(h)
z = Sampling()([z_mean, z_log_var])
encoder = keras.Model(inputs, [z_mean, z_log_var, z], name="encoder")

latent_inputs = keras.Input(shape=(latent_dim,))
h = layers.Dense(8, activation="relu")(latent_inputs)
decoder = keras.Model(latent_inputs, layers.Dense(12, activation="sigmoid")(h), name="decoder")

vae = keras.Model(inputs, decoder(encoder(inputs)[2]), name="vae")
vae.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
history = vae.fit(x_train, x_train, epochs=3, batch_size=16, verbose=0)
generated = decoder.predict(np.zeros((4, latent_dim)), verbose=0)
