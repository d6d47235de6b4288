// Dropout with random bits that depend only on the position of an element, so that the backward pass regenerates them instead of
// storing them.
//
// Macros: only INLINE (vector.inc.h).

// Philox 4x32 with ten rounds and a 128-bit counter, as in Random/Philox.swift.
INLINE void philox(uint64_t counter, const swk_dropout *d, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = (uint32_t)d->stream, c3 = (uint32_t)(d->stream >> 32);
    uint32_t k0 = d->key0, k1 = d->key1;
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t next = (uint32_t)(b >> 32) ^ c1 ^ k0, third = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c0 = next, c1 = (uint32_t)b, c2 = third, c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

// Elements from `first`, a multiple of 4, of a row; x and out point to element `first`.
static void dropout_from(size_t first, size_t n, uint64_t row, const swk_dropout *d, const float *x, float *out) {
    for (size_t t = 0; t < n; t += 4) {
        uint32_t bits[4];
        philox(row << 32 | (first + t) / 4, d, bits);
        for (size_t i = 0; i < 4 && t + i < n; i++) out[t + i] = bits[i] < d->threshold ? 0.0f : x[t + i] * d->scale;
    }
}
static void dropout(size_t n, uint64_t row, const swk_dropout *d, const float *x, float *out) { dropout_from(0, n, row, d, x, out); }
