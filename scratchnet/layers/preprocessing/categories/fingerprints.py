"""Numbers for words, the same on every machine and for ever: which of a few bins a word falls into depends on it alone.

`farm_hash` is FarmHash's 64 bit fingerprint (Pike and Alakuijala 2014), made of multiplications, rotations and
exclusive ors: every bit of the word has a say in every bit of the number. Whoever knows it can choose words that fall
into the same bin; where that matters `sip_hash` takes a secret key (Aumasson and Bernstein, "SipHash: a fast
short-input PRF", 2012). `crossed` makes one number of two. All are those of TensorFlow, and so of Keras.
"""

_MASK = 2**64 - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def farm_hash(word):
    """The fingerprint of a word (bytes), 0 to 2**64 - 1."""
    n = len(word)
    if n <= 16:
        return _hash_up_to_16(word, n)
    if n <= 32:
        return _hash_up_to_32(word, n)
    return _hash_up_to_64(word, n) if n <= 64 else _hash_longer(word, n)


def _at(word, start, size=8):
    return int.from_bytes(word[start : start + size], "little")


def _rotate(x, bits):
    """The 64 bits of x, those that are pushed out to the right come back on the left."""
    return (x >> bits | x << 64 - bits) & _MASK


def _mix(x):
    return x ^ x >> 47


def _pair(u, v, mul):
    a = _mix((u ^ v) * mul & _MASK)
    b = _mix((v ^ a) * mul & _MASK)
    return b * mul & _MASK


def _hash_up_to_16(word, n):
    mul = _K2 + 2 * n & _MASK
    if n >= 8:
        a, b = _at(word, 0) + _K2 & _MASK, _at(word, n - 8)
        c = _rotate(b, 37) * mul + a & _MASK
        d = (_rotate(a, 25) + b) * mul & _MASK
        return _pair(c, d, mul)
    if n >= 4:
        return _pair(n + (_at(word, 0, 4) << 3), _at(word, n - 4, 4), mul)
    if n > 0:
        y, z = word[0] + (word[n >> 1] << 8), n + (word[n - 1] << 2)
        return _mix((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK
    return _K2


def _hash_up_to_32(word, n):
    mul = _K2 + 2 * n & _MASK
    a, b = _at(word, 0) * _K1 & _MASK, _at(word, 8)
    c, d = _at(word, n - 8) * mul & _MASK, _at(word, n - 16) * _K2 & _MASK
    y = _rotate(a + b & _MASK, 43) + _rotate(c, 30) + d & _MASK
    return _pair(y, a + _rotate(b + _K2 & _MASK, 18) + c & _MASK, mul)


def _hash_up_to_64(word, n):
    mul = _K2 + 2 * n & _MASK
    a, b = _at(word, 0) * _K2 & _MASK, _at(word, 8)
    c, d = _at(word, n - 8) * mul & _MASK, _at(word, n - 16) * _K2 & _MASK
    y = _rotate(a + b & _MASK, 43) + _rotate(c, 30) + d & _MASK
    z = _pair(y, a + _rotate(b + _K2 & _MASK, 18) + c & _MASK, mul)
    e, f = _at(word, 16) * mul & _MASK, _at(word, 24)
    g, h = (y + _at(word, n - 32)) * mul & _MASK, (z + _at(word, n - 24)) * mul & _MASK
    y = _rotate(e + f & _MASK, 43) + _rotate(g, 30) + h & _MASK
    return _pair(y, e + _rotate(f + a & _MASK, 18) + g & _MASK, mul)


def _weak(word, start, a, b):
    """32 bytes of the word and two numbers as two numbers."""
    w, x, y, z = (_at(word, start + k) for k in (0, 8, 16, 24))
    a = a + w & _MASK
    b = _rotate(b + a + z & _MASK, 21)
    c = a
    a = a + x + y & _MASK
    return a + z & _MASK, b + _rotate(a, 44) + c & _MASK


def _hash_longer(word, n):
    x, y = 81, 81 * _K1 + 113 & _MASK
    z = _mix(y * _K2 + 113 & _MASK) * _K2 & _MASK
    v = w = (0, 0)
    x = x * _K2 + _at(word, 0) & _MASK
    blocks = (n - 1) // 64
    for block in [*range(blocks), None]:  # of 64 bytes; the last time the 64 that end the word
        mul = _K1 if block is not None else _K1 + ((z & 0xFF) << 1) & _MASK
        last, s = (1, 64 * block) if block is not None else (9, n - 64)
        if block is None:
            w = w[0] + (n - 1 & 63) & _MASK, w[1]
            v = v[0] + w[0] & _MASK, v[1]
            w = w[0] + v[0] & _MASK, w[1]
        x = _rotate(x + y + v[0] + _at(word, s + 8) & _MASK, 37) * mul & _MASK
        y = _rotate(y + v[1] + _at(word, s + 48) & _MASK, 42) * mul & _MASK
        x ^= w[1] * last & _MASK
        y = y + v[0] * last + _at(word, s + 40) & _MASK
        z = _rotate(z + w[0] & _MASK, 33) * mul & _MASK
        v = _weak(word, s, v[1] * mul & _MASK, x + w[0] & _MASK)
        w = _weak(word, s + 32, z + w[1] & _MASK, y + _at(word, s + 16) & _MASK)
        z, x = x, z
    first = _pair(v[0], w[0], mul) + _mix(y) * _K0 + z & _MASK
    return _pair(first, _pair(v[1], w[1], mul) + x & _MASK, mul)


def sip_hash(word, key):
    """SipHash-2-4 of a word (bytes) with a key of two numbers, 0 to 2**64 - 1."""
    k0, k1 = (k & _MASK for k in key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    ended = word + bytes(-(len(word) + 1) % 8) + bytes([len(word) & 0xFF])
    for start in range(0, len(ended), 8):
        m = _at(ended, start)
        v[3] ^= m
        _sip_rounds(v, 2)
        v[0] ^= m
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v, count):
    for _ in range(count):
        v[0], v[2] = v[0] + v[1] & _MASK, v[2] + v[3] & _MASK
        v[1], v[3] = _rotate(v[1], 64 - 13) ^ v[0], _rotate(v[3], 64 - 16) ^ v[2]
        v[0] = _rotate(v[0], 64 - 32)
        v[2], v[0] = v[2] + v[1] & _MASK, v[0] + v[3] & _MASK
        v[1], v[3] = _rotate(v[1], 64 - 17) ^ v[2], _rotate(v[3], 64 - 21) ^ v[0]
        v[2] = _rotate(v[2], 64 - 32)


def crossed(first, second):
    """One fingerprint of two."""
    mul = 0xC6A4A7935BD1E995
    result = first ^ mul
    result ^= _mix(second * mul & _MASK) * mul & _MASK
    result = _mix(result * mul & _MASK) * mul & _MASK
    return _mix(result)
