"""Fingerprints, against TensorFlow's, for words of every length at which the computation changes."""

import pytest

from scratchnet.layers.preprocessing.categories.fingerprints import crossed, farm_hash, sip_hash

# tf.strings.to_hash_bucket_fast and to_hash_bucket_strong(key=[133, 137]), modulo 2**61 - 1, of the first n letters.
ALPHABET = bytes(ord("a") + k % 26 for k in range(300))
MODULUS = 2**61 - 1
TENSORFLOW = {
    0: (1936946117179621459, 316627932347062998),
    1: (1388589064740894184, 160410968480759501),
    3: (334871249046467434, 2288159068006480043),
    4: (1897425971756105985, 890676207687158222),
    7: (2035848218575336278, 1733789709272385409),
    8: (2227542566675949840, 210173030064361738),
    16: (1469030743107030719, 234335683885275465),
    17: (2171023947900359596, 318208157385171761),
    32: (2276209681574081953, 1151581130312057525),
    33: (2004761416539416594, 1519631840943364415),
    64: (2038540033609931774, 596720356350967971),
    65: (303105194244636203, 509894826048287028),
    128: (226390950763841360, 1691968994244683307),
    129: (1953612634356772824, 850773907437869232),
    300: (1389365093342485140, 1016222053355824930),
}


@pytest.mark.parametrize("n", TENSORFLOW)
def test_tensorflows_values(n):
    word = ALPHABET[:n]
    assert (farm_hash(word) % MODULUS, sip_hash(word, (133, 137)) % MODULUS) == TENSORFLOW[n]


def test_every_bit_counts():
    words = [ALPHABET[:n] for n in (3, 7, 12, 20, 40, 64, 70, 129)]
    for word in words:
        others = {farm_hash(word[:k] + bytes([word[k] ^ 1]) + word[k + 1 :]) for k in range(len(word))}
        assert len(others | {farm_hash(word)}) == len(word) + 1
    assert sip_hash(b"word", (1, 2)) != sip_hash(b"word", (2, 1))
    assert crossed(farm_hash(b"a"), farm_hash(b"b")) != crossed(farm_hash(b"b"), farm_hash(b"a"))
