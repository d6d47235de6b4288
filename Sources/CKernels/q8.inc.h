// Blocks of 8-bit integers: 34 bytes for 32 numbers, the scale in half precision (little-endian) and 32 signed integers. A number
// is its integer times the scale. The product is exact (8 and 11 significant bits), so widening gives the same bits in every
// build. This is ggml's Q8_0.
//
// Macros: Q8_COUNT and Q8_BYTES are the numbers and the bytes of a block. ACROSS_LANES is in vector.inc.h.

#define Q8_COUNT 32
#define Q8_BYTES 34

typedef int8_t b16 __attribute__((vector_size(16)));
typedef int8_t b16u __attribute__((vector_size(16), aligned(1), may_alias));

// The number that two bytes represent in half precision.
INLINE float widened_half(const uint8_t *p) {
    uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8, magnitude = bits & 0x7FFFu, wide;
    if (magnitude >= 0x7C00u) wide = 0x7F800000u | magnitude << 13; // infinity or NaN
    else if (magnitude >= 0x0400u) wide = (magnitude << 13) + (112u << 23);
    else { // subnormal: a multiple of 2^-24
        float number = (float)magnitude * 0x1p-24f;
        memcpy(&wide, &number, sizeof wide);
    }
    wide |= (bits & 0x8000u) << 16;
    float number;
    memcpy(&number, &wide, sizeof number);
    return number;
}

// The scale of a block in all lanes.
INLINE v16 scale_of(const uint8_t *block) {
#if SWK_MASKS == 512
    uint16_t bits;
    memcpy(&bits, block, sizeof bits);
    return (v16)_mm512_cvtph_ps(_mm256_set1_epi16((short)bits));
#elif SWK_MASKS == 256
    uint16_t bits;
    memcpy(&bits, block, sizeof bits);
    __m256 scale = _mm256_cvtph_ps(_mm_set1_epi16((short)bits));
    halves both = {scale, scale};
    v16 v;
    memcpy(&v, &both, sizeof v);
    return v;
#else
    return all(widened_half(block));
#endif
}

// The half-precision bits that are nearest to a number >= 0, ties to even; 0x7C00 (infinity) from 65520 on and for NaN.
INLINE uint32_t narrowed_half(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (bits >= 0x477FF000u) return 0x7C00u;
    if (bits >= 0x38800000u) return (bits + 0x0FFFu + ((bits >> 13) & 1u) - (112u << 23)) >> 13;
    float rounded = number + 0.5f; // subnormal: the sum is rounded to a multiple of 2^-24
    memcpy(&bits, &rounded, sizeof bits);
    return bits - 0x3F000000u;
}

// Sixteen numbers of a block.
INLINE v16 sixteen_of(const uint8_t *integers, v16 scale) {
    b16 v = *(const b16u *)integers;
    return __builtin_convertvector(v, v16) * scale;
}

static void q8_widen(size_t rows, size_t n, size_t first, size_t stride, const uint8_t *blocks, float *out) {
    for (size_t i = 0; i < rows; i++, first += stride, out += n) {
        for (size_t j = 0, count; j < n; j += count) {
            // the rest of the block that holds the number, or what is needed of it
            size_t at = (first + j) % Q8_COUNT;
            count = Q8_COUNT - at < n - j ? Q8_COUNT - at : n - j;
            const uint8_t *block = blocks + (first + j) / Q8_COUNT * Q8_BYTES, *integers = block + 2 + at;
            v16 scale = scale_of(block);
            float *to = out + j;
            size_t k = 0;
            for (; k + 16 <= count; k += 16) store(to + k, sixteen_of(integers + k, scale));
            for (; k < count; k++) to[k] = (float)(int8_t)integers[k] * scale[0];
        }
    }
}

// Of lanes >= 0; NaN is larger than everything else.
INLINE v16 larger_bits(v16 a, v16 b) { return choose((i16)a > (i16)b, a, b); }

// Sixteen quotients of at most 127 as integers, ties away from zero.
INLINE b16 nearest_integers(v16 x) {
    i16 whole = __builtin_convertvector(x, i16);
    v16 rest = x - __builtin_convertvector(whole, v16); // exact
    // a comparison is -1 where it holds
    return __builtin_convertvector(whole - (rest >= all(0.5f)) + (rest <= all(-0.5f)), b16);
}

static size_t q8_round(size_t blocks, const float *x, uint8_t *out) {
    for (size_t block = 0; block < blocks; block++, x += Q8_COUNT, out += Q8_BYTES) {
        v16 low = load(x), high = load(x + 16), sizes;
        sizes = larger_bits((v16)((i16)low & 0x7FFFFFFF), (v16)((i16)high & 0x7FFFFFFF));
        ACROSS_LANES(sizes, larger_bits)
        float scale = sizes[0] / 127.0f, inverse = 1.0f / scale;
        uint32_t half = narrowed_half(scale);
        if (half == 0x7C00u) return block;
        out[0] = (uint8_t)half, out[1] = (uint8_t)(half >> 8);
        if (half == 0) {
            memset(out + 2, 0, Q8_COUNT); // all numbers are 0, whatever the integers are
            continue;
        }
        low *= all(inverse);
        high *= all(inverse);
        *(b16u *)(out + 2) = nearest_integers(low);
        *(b16u *)(out + 18) = nearest_integers(high);
    }
    return blocks;
}
