import numpy as np
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

latent_dim, batch = 4, 8
rng = np.random.default_rng(7)
real = rng.normal(loc=(1.0, -2.0), scale=0.3, size=(400, 2))

generator = Sequential([Input((latent_dim,)), Dense(8), LeakyReLU(negative_slope=0.2), Dense(2)])
discriminator = Sequential([Input((2,)), Dense(8), LeakyReLU(negative_slope=0.2), Dense(1, activation="sigmoid")])
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.01, beta_1=0.5))

discriminator.trainable = False
z = Input((latent_dim,))
gan = Model(z, discriminator(generator(z)))
gan.compile(loss="binary_crossentropy", optimizer=Adam(0.01, beta_1=0.5))

losses = []
for _ in range(20):
    fake = generator.predict(rng.normal(size=(batch, latent_dim)), verbose=0)
    x = np.concatenate([real[rng.integers(0, len(real), batch)], fake])
    y = np.concatenate([np.ones((batch, 1)), np.zeros((batch, 1))])
    discriminator.trainable = True
    d_loss = discriminator.train_on_batch(x, y)
    discriminator.trainable = False
    g_loss = gan.train_on_batch(rng.normal(size=(batch, latent_dim)), np.ones((batch, 1)))
    losses.append([float(d_loss), float(g_loss)])
