// Stochastic rounding to bfloat16, with random bits that depend only on the position of a number.
//
// Macros: only INLINE (vector.inc.h); philox is in dropout.inc.h.

// Adding 16 random bits to the bits that are cut off carries into the upper half with a probability of their value / 2^16.
INLINE uint16_t stochastic(float x, uint32_t random) {
    uint32_t bits, sum;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u); // NaN stays NaN
    sum = bits + random;
    // a finite number never becomes infinite, and infinity stays itself
    if ((sum & 0x7FFFFFFFu) >= 0x7F800000u) sum = bits;
    return (uint16_t)(sum >> 16);
}

static void bf16_stochastic(size_t n, uint64_t first, const swk_dropout *d, const float *x, uint16_t *out) {
    for (size_t t = 0; t < n; t += 8) {
        uint32_t bits[4];
        philox((first + t) / 8, d, bits);
        for (size_t i = 0; i < 8 && t + i < n; i++) out[t + i] = stochastic(x[t + i], bits[i / 2] >> (i % 2 * 16) & 0xFFFFu);
    }
}
