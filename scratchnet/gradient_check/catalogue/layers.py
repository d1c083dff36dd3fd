"""Every layer with its options.

A case is ``(layer, x, options)``, the options those of `check_layer`; x has few, different sizes. Each is checked by
differences, for its contract, and in parts of a batch; where `linear` names "x", by the adjoint identity as well.
Whoever adds a layer adds a case: a test asks for them.
"""

import inspect

import numpy as np

from scratchnet import layers
from scratchnet.gradient_check.catalogue.inputs import F64, describe, in_parts, named, randomize, separated
from scratchnet.gradient_check.check import check_adjoint, check_layer
from scratchnet.gradient_check.parts import check_parts

_NO_LAYERS_BY_THEMSELVES = ("InputLayer", "InputSpec", "KerasTensor", "Layer", "Wrapper", "Lambda", "Pipeline")
_OF_TOKENS = (  # nothing of them is differentiable
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
)
ALL_LINEAR = {"linear": ("x", "kernel", "bias")}
FEW = {"max_entries": 20, "directions": 5}  # of a linear function some directions tell as much as all entries


def check_layers(rng):
    """Yield a report for every case, and one for it in parts."""
    for layer, x, options in cases(rng):
        randomize(layer, x, rng)
        yield named(describe(layer), check_layer(layer, x, **options))
        training = options.get("training", True)
        yield named(describe(layer), check_parts(layer, in_parts(x), training, mask=in_parts(options.get("mask"))))
        if "x" in options.get("linear", ()) and not isinstance(x, list) and not options.get("training"):
            yield named(describe(layer), check_adjoint(layer, x))


def without_a_case():
    """The names of public layers that are in no case."""
    found = {type(layer) for layer, _, _ in cases(np.random.default_rng(0))}
    excused = (*_NO_LAYERS_BY_THEMSELVES, *_OF_TOKENS)
    public = {name: getattr(layers, name) for name in layers.__all__ if name not in excused}
    return [name for name, cls in public.items() if inspect.isclass(cls) and cls not in found]


def cases(rng):
    """``(layer, x, options)`` for every layer."""
    for room in (_core, _activations, _convolutions, _pooling, _recurrent, _normalization, _regularization, _reshaping):
        yield from room(rng)
    for room in (_channels_first, _merging, _attention, _variational, _capsules, _preprocessing):
        yield from room(rng)


def _core(rng):
    normal = rng.standard_normal
    yield layers.Dense(3, **F64), normal((4, 5)), ALL_LINEAR
    yield layers.Dense(3, activation="tanh", use_bias=False, **F64), normal((2, 3, 5)), {}
    yield layers.Dense(4, activation="softmax", **F64), normal((3, 5)), {}
    yield layers.Dense(2, kernel_regularizer="l2", **F64), normal((3, 5)), {}
    yield layers.Dense(2, trainable=False, **F64), normal((3, 5)), {"linear": ("x",)}
    yield layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d", **F64), normal((2, 3, 5)), ALL_LINEAR
    yield layers.Embedding(7, 3, **F64), rng.integers(0, 7, (2, 4)), {"linear": ("embeddings",)}
    yield layers.ReversibleEmbedding(7, 3, **F64), rng.integers(0, 7, (2, 4)), {"linear": ("embeddings",)}
    yield layers.Identity(**F64), normal((2, 3)), {"linear": ("x",)}
    yield layers.Masking(**F64), normal((2, 3, 2)), {}


def _activations(rng):
    for layer in (
        layers.Activation("gelu", **F64),
        layers.LeakyReLU(0.1, **F64),
        layers.ELU(0.7, **F64),
        layers.ELU(-0.7, **F64),
        layers.PReLU(**F64),
        layers.ReLU(**F64),
        layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.33, **F64),
        layers.Softmax(**F64),
    ):
        yield layer, separated(rng, (3, 4)), {}
    yield layers.PReLU(shared_axes=[1], **F64), separated(rng, (2, 3, 4)), {}


def _convolutions(rng):
    normal = rng.standard_normal
    for k, options in enumerate(_windows()):
        for size in ((5, 6), (6, 5))[k % 2], (1, 1):
            if options["padding"] == "valid" and min(size) < 5:
                continue
            yield layers.Conv2D(3, **options, **F64), normal((2, *size, 2)), {**ALL_LINEAR, **FEW}
    yield layers.Conv2D(2, 3, activation="sigmoid", padding="same", **F64), normal((2, 4, 5, 1)), {}
    yield layers.Conv2D(1, 3, padding="same", **F64), normal((1, 4, 4, 8)), {**ALL_LINEAR, **FEW}
    yield layers.Conv2D(4, 2, groups=2, **F64), normal((2, 4, 3, 6)), {**ALL_LINEAR, **FEW}
    yield layers.Conv1D(3, 2, padding="causal", dilation_rate=2, **F64), normal((2, 5, 2)), ALL_LINEAR
    yield layers.Conv3D(2, 2, **F64), normal((2, 3, 4, 2, 2)), {**ALL_LINEAR, **FEW}
    for padding in ("valid", "same"):
        yield layers.Conv1DTranspose(3, 3, 2, padding, **F64), normal((2, 4, 2)), ALL_LINEAR
        yield layers.Conv2DTranspose(3, (2, 3), (2, 1), padding, **F64), normal((2, 3, 4, 2)), {**ALL_LINEAR, **FEW}
        yield layers.Conv3DTranspose(2, 2, 2, padding, **F64), normal((1, 2, 3, 2, 2)), {**ALL_LINEAR, **FEW}
        yield layers.DepthwiseConv1D(3, 1, padding, depth_multiplier=2, **F64), normal((2, 5, 3)), ALL_LINEAR
        yield layers.DepthwiseConv2D((2, 3), 1, padding, **F64), normal((2, 4, 5, 3)), {**ALL_LINEAR, **FEW}
        yield layers.SeparableConv1D(3, 2, 1, padding, **F64), normal((2, 5, 2)), {}
        yield layers.SeparableConv2D(3, 2, 1, padding, depth_multiplier=2, **F64), normal((2, 3, 4, 2)), {}


def _windows():
    for padding in ("valid", "same"):
        yield {"kernel_size": 3, "padding": padding}
        yield {"kernel_size": (2, 4), "padding": padding}
        yield {"kernel_size": 3, "strides": 2, "padding": padding, "use_bias": False}
        yield {"kernel_size": 2, "strides": (3, 1), "padding": padding}
        yield {"kernel_size": (3, 2), "dilation_rate": (2, 1), "padding": padding}


def _pooling(rng):
    images, sequences, volumes = (2, 5, 4, 2), (2, 7, 3), (2, 3, 2, 4, 2)
    mean = {"linear": ("x",)}
    for padding in ("valid", "same"):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            yield layers.MaxPooling2D(pool, strides, padding, **F64), separated(rng, images), {}
            yield layers.AveragePooling2D(pool, strides, padding, **F64), separated(rng, images), mean
        yield layers.MaxPooling1D(3, 2, padding, **F64), separated(rng, sequences), {}
        yield layers.AveragePooling1D(3, 2, padding, **F64), separated(rng, sequences), mean
        yield layers.MaxPooling3D(2, None, padding, **F64), separated(rng, volumes), {}
        yield layers.AveragePooling3D(2, None, padding, **F64), separated(rng, volumes), mean
    for ending, shape in (("1D", sequences), ("2D", images), ("3D", volumes)):
        for count in (1, 3, 6):
            yield getattr(layers, f"AdaptiveMaxPooling{ending}")(count, **F64), separated(rng, shape), {}
            yield getattr(layers, f"AdaptiveAveragePooling{ending}")(count, **F64), separated(rng, shape), mean
        yield getattr(layers, f"GlobalMaxPooling{ending}")(**F64), separated(rng, shape), {}
        yield getattr(layers, f"GlobalAveragePooling{ending}")(**F64), separated(rng, shape), mean
    yield layers.GlobalAveragePooling1D(**F64), separated(rng, sequences), {"mask": _mask(rng, 2, 7)}


def _channels_first(rng):
    first, normal = {"data_format": "channels_first", **F64}, rng.standard_normal
    yield layers.Conv2D(3, 2, **first), normal((2, 2, 4, 3)), {**ALL_LINEAR, **FEW}
    yield layers.SeparableConv1D(2, 2, **first), normal((2, 3, 4)), {}
    yield layers.MaxPooling3D(2, **first), separated(rng, (2, 2, 2, 3, 4)), {}
    yield layers.GlobalMaxPooling2D(**first), separated(rng, (2, 3, 4, 2)), {}
    yield layers.ConvLSTM1D(2, 2, **first), normal((2, 3, 2, 4)), FEW
    yield layers.Flatten(**first), normal((2, 3, 2, 2)), {"linear": ("x",)}


def _recurrent(rng):
    normal = rng.standard_normal
    for cls, states in ((layers.SimpleRNN, 1), (layers.GRU, 1), (layers.LSTM, 2)):
        yield cls(3, **F64), normal((2, 4, 3)), {}
        yield cls(2, return_sequences=True, go_backwards=True, **F64), normal((3, 4, 1)), {}
        yield cls(2, return_sequences=True, return_state=True, use_bias=False, **F64), normal((2, 3, 2)), {}
        yield cls(3, **F64), [normal((2, 3, 2)), *[normal((2, 3)) for _ in range(states)]], {}
        yield cls(1, **F64), normal((1, 1, 1)), {}
        for name in ("relu", "sigmoid", "linear", "gelu", "softplus"):
            yield cls(2, activation=name, **F64), normal((2, 3, 2)), {}
        mask = np.array([[1, 0, 1], [0, 1, 0]], bool)
        yield cls(2, return_sequences=True, **F64), normal((2, 3, 2)), {"mask": mask}
        yield cls(2, dropout=0.3, recurrent_dropout=0.3, seed=0, **F64), normal((2, 3, 2)), {"training": True}
    for cls, states in ((layers.SimpleRNNCell, 1), (layers.GRUCell, 1), (layers.LSTMCell, 2)):
        yield cls(3, **F64), [normal((2, 4)), *(normal((2, 3)) for _ in range(states))], {}
        yield layers.RNN(cls(2, **F64), return_sequences=True, **F64), normal((2, 3, 2)), {}
    stacked = layers.StackedRNNCells([layers.GRUCell(2, **F64), layers.LSTMCell(3, **F64)], **F64)
    yield stacked, [normal((2, 4)), normal((2, 2)), normal((2, 3)), normal((2, 3))], {}
    yield layers.ConvLSTM1D(2, 2, padding="same", **F64), normal((2, 3, 4, 2)), FEW
    yield layers.ConvLSTM2D(2, 2, return_sequences=True, **F64), normal((2, 3, 3, 4, 2)), FEW
    yield layers.ConvLSTM3D(2, 2, **F64), normal((2, 2, 2, 3, 2, 1)), FEW
    for merge_mode in ("concat", "sum", "ave", "mul"):
        bidirectional = layers.Bidirectional(layers.GRU(2, return_sequences=True, **F64), merge_mode, **F64)
        yield bidirectional, normal((2, 3, 2)), {}
    yield layers.GRU(2, reset_after=False, recurrent_activation="hard_sigmoid", **F64), normal((2, 3, 2)), {}
    yield layers.LSTM(2, recurrent_activation="hard_sigmoid", **F64), normal((2, 3, 2)), {}
    yield layers.LSTM(2, recurrent_activation="tanh", unit_forget_bias=False, **F64), normal((2, 3, 2)), {}
    yield layers.TimeDistributed(layers.Dense(2, **F64), **F64), normal((2, 3, 4)), ALL_LINEAR
    yield layers.TimeDistributed(layers.Conv2D(2, 2, **F64), **F64), normal((2, 2, 3, 3, 1)), ALL_LINEAR
    yield layers.TimeDistributed(layers.BatchNormalization(**F64), **F64), normal((5, 3, 2)), {"training": True}


def _normalization(rng):
    x = rng.standard_normal((3, 4, 6))
    yield layers.BatchNormalization(**F64), x, {"training": True}
    yield layers.BatchNormalization(axis=1, center=False, **F64), x, {"training": True}
    yield layers.BatchNormalization(**F64), x, {"linear": ("x", "gamma", "beta")}
    fixed = {"rmin": 0.7, "rmax": 0.7, "dmax": 0.0}  # r and d count as constants: differences must find them so
    yield layers.BatchNormalization(renorm=True, renorm_clipping=fixed, **F64), x, {"training": True}
    yield layers.SpectralNormalization(layers.Dense(3, **F64), **F64), x, ALL_LINEAR | {"training": False}
    for layer in (
        layers.LayerNormalization(**F64),
        layers.LayerNormalization(axis=[1, 2], scale=False, **F64),
        layers.GroupNormalization(2, **F64),
        layers.GroupNormalization(-1, **F64),
        layers.RMSNormalization(**F64),
        layers.UnitNormalization(**F64),
    ):
        yield layer, x, {}


def _regularization(rng):
    x, drawn = rng.standard_normal((3, 4, 5)), {"training": True, "linear": ("x",)}
    for layer in (
        layers.Dropout(0.4, seed=1, **F64),
        layers.Dropout(0.4, noise_shape=(None, 1, None), seed=1, **F64),
        layers.AlphaDropout(0.4, seed=1, **F64),
        layers.GaussianDropout(0.4, seed=1, **F64),
        layers.GaussianNoise(0.4, seed=1, **F64),
        layers.SpatialDropout1D(0.4, seed=1, **F64),
    ):
        yield layer, x, drawn
    yield layers.SpatialDropout2D(0.4, seed=1, **F64), x.reshape(3, 2, 2, 5), drawn
    yield layers.SpatialDropout3D(0.4, seed=1, **F64), x.reshape(3, 1, 2, 2, 5), drawn
    yield layers.ActivityRegularization(0.1, 0.2, **F64), separated(rng, (3, 4)), {}


def _reshaping(rng):
    for layer, shape in (
        (layers.Flatten(**F64), (2, 3, 2, 2)),
        (layers.Permute((2, 1), **F64), (2, 3, 4)),
        (layers.RepeatVector(3, **F64), (2, 4)),
        (layers.Reshape((3, -1), **F64), (2, 4, 6)),
        (layers.UpSampling1D(3, **F64), (2, 3, 2)),
        (layers.UpSampling2D((2, 3), **F64), (2, 3, 2, 2)),
        (layers.UpSampling2D((2, 3), interpolation="bilinear", **F64), (2, 3, 2, 2)),
        (layers.UpSampling3D((2, 1, 3), **F64), (2, 1, 3, 2, 2)),
        (layers.ZeroPadding1D((1, 2), **F64), (2, 3, 2)),
        (layers.ZeroPadding2D(((1, 0), (2, 1)), **F64), (2, 3, 2, 2)),
        (layers.ZeroPadding3D((1, 0, 2), **F64), (2, 1, 3, 2, 2)),
        (layers.Cropping1D((1, 2), **F64), (2, 5, 2)),
        (layers.Cropping2D(((1, 0), (2, 1)), **F64), (2, 3, 5, 2)),
        (layers.Cropping3D((1, 0, 1), **F64), (2, 3, 2, 4, 2)),
    ):
        yield layer, rng.standard_normal(shape), {"linear": ("x",)}


def _merging(rng):
    normal, each = rng.standard_normal, {"linear": ("x",)}
    yield layers.Add(**F64), [normal((2, 3)) for _ in range(3)], each
    yield layers.Add(**F64), [normal((2, 3, 4)), normal((2, 1, 4))], each
    yield layers.Subtract(**F64), [normal((2, 3)) for _ in range(2)], each
    yield layers.Average(**F64), [normal((2, 3)) for _ in range(3)], each
    yield layers.Multiply(**F64), [normal((2, 3)) for _ in range(3)], {}
    for cls in (layers.Maximum, layers.Minimum):
        yield cls(**F64), list(separated(rng, (3, 2, 3))), {}
    yield layers.Concatenate(**F64), [normal((2, k)) for k in (1, 3)], each
    yield layers.Concatenate(axis=1, **F64), [normal((2, k, 2)) for k in (1, 3)], each
    yield layers.Dot(axes=(2, 1), **F64), [normal((2, 3, 4)), normal((2, 4, 5))], {}
    yield layers.Dot(axes=1, normalize=True, **F64), [normal((2, 4)), normal((2, 4))], {}


def _attention(rng):
    q, v, k = (rng.standard_normal((2, T, 4)) for T in (3, 5, 5))
    masks = [_mask(rng, 2, 3), _mask(rng, 2, 5)]
    several = {"bound": 1e-6}  # projections, products and a softmax, one behind the other
    yield layers.Attention(**F64), [q, v, k], {}
    yield layers.Attention(use_scale=True, score_mode="concat", **F64), [q, v], {"mask": masks}
    yield layers.AdditiveAttention(**F64), [q, v, k], {}
    yield layers.MultiHeadAttention(2, 3, **F64), [q, v, k], several
    yield layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=5, **F64), [q, v], several
    yield layers.GroupQueryAttention(3, 4, 2, **F64), [q, v], several


def _variational(rng):
    moments = list(rng.standard_normal((2, 4, 3)))
    yield layers.Sampling(seed=1, **F64), moments, {}
    yield layers.GaussianKL(0.5, **F64), moments, {}


def _capsules(rng):
    capsules = rng.standard_normal((3, 5, 4))
    for layer in (
        layers.Squash(**F64),
        layers.Length(**F64),
        layers.CapsuleMask(**F64),
        layers.CapsuleLayer(2, 3, routings=1, **F64),
        layers.CapsuleLayer(2, 3, routings=3, **F64),
        layers.CapsuleLayer(2, 3, routings=3, routing_gradient="all", **F64),
    ):
        yield layer, capsules, {}
    yield layers.PrimaryCapsules(2, 3, 2, strides=2, **F64), rng.standard_normal((2, 4, 4, 2)), {}


def _mask(rng, N, T):
    """Which steps count: (N, T), the first of them in every sample."""
    mask = rng.random((N, T)) < 0.6
    mask[:, 0] = True
    return np.ascontiguousarray(mask)


def _preprocessing(rng):
    x, drawn, unit = (
        rng.uniform(0, 1, (3, 4, 5, 3)),
        {"training": True, "linear": ("x",), **FEW},
        {"value_range": (0, 1)},
    )
    yield layers.Rescaling(2.0, 1.0, **F64), x, {"linear": ("x",), **FEW}
    yield layers.Normalization(mean=0.5, variance=2.0, **F64), x, {"linear": ("x",), **FEW}
    sound = {"fft_length": 16, "sequence_stride": 9, "num_mel_bins": 3, "sampling_rate": 8000, **F64}
    yield layers.MelSpectrogram(**sound), rng.standard_normal((3, 40)), FEW
    yield layers.MelSpectrogram(power_to_db=False, mag_exp=1.5, **sound), rng.standard_normal((3, 40)), FEW
    yield layers.STFTSpectrogram("psd", 6, **F64), rng.standard_normal((3, 13, 2)), FEW
    yield layers.Resizing(3, 7, **F64), x, {"linear": ("x",), **FEW}
    yield layers.CenterCrop(2, 3, **F64), x, {"linear": ("x",), **FEW}
    for layer in (
        layers.RandomFlip(seed=1, **F64),
        layers.RandomTranslation(0.3, 0.2, seed=1, **F64),
        layers.RandomRotation(0.3, seed=1, **F64),
        layers.RandomZoom(0.3, seed=1, **F64),
        layers.RandomShear(0.3, 0.2, seed=1, **F64),
        layers.RandomPerspective((0.6, 0.7), seed=1, **F64),
        layers.RandomCrop(3, 2, seed=1, **F64),
        layers.MixUp(0.8, seed=1, **F64),
        layers.CutMix(seed=1, **F64),
    ):
        yield layer, x, drawn
    for layer in (
        layers.RandomBrightness(0.4, seed=1, **unit, **F64),
        layers.RandomContrast(0.4, seed=1, **unit, **F64),
        layers.RandomInvert(0.5, seed=1, **unit, **F64),
        layers.RandomGrayscale(0.5, seed=1, **F64),
        layers.RandomSaturation((0.1, 0.9), seed=1, **unit, **F64),
        layers.RandomHue(0.9, seed=1, **unit, **F64),
        layers.RandomColorJitter(brightness_factor=0.2, contrast_factor=0.3, seed=1, **unit, **F64),
        layers.RandomGaussianBlur((0.6, 0.7), 3, (0.3, 1), seed=1, **unit, **F64),
        layers.RandomElasticTransform((0.6, 0.7), (0.6, 0.8), seed=1, **unit, **F64),
        layers.RandomErasing((0.6, 0.7), (0.2, 0.5), seed=1, **unit, **F64),
        layers.RandomColorDegeneration((0.2, 0.8), seed=1, **unit, **F64),
        layers.RandomSharpness((0.6, 0.9), seed=1, **unit, **F64),
        layers.RandomPosterization((1, 3), seed=1, **unit, **F64),
        layers.Solarization(0.3, (0.2, 0.9), seed=1, **unit, **F64),
        layers.AutoContrast(**unit, **F64),
        layers.Equalization(bins=5, **unit, **F64),
    ):
        yield layer, x, {"training": True, **FEW}
    middles = (np.floor(255 * x) + 0.5) / 255  # of shades: between two of them it jumps
    yield layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2), **unit, **F64), middles, FEW
