// Vectors of sixteen floats, with the compiler's vector extension: one AVX-512 register, two AVX registers, or four SSE or NEON
// registers. Every build of the kernels includes this file inside its target attribute.
//
// Macros: EACH16(n, body) executes its body for elements 0..15, 16..31 and so on, and once for the remaining elements below n. In
// the body, LOAD(p) is the current vector of array p (padded with zeros at the end), STORE(p, v) writes it (nothing past the
// end), and `at` is the index of its first element. For example, `EACH16(n, STORE(out, LOAD(a) + LOAD(b));)` is a complete
// kernel. The body is compiled twice, for whole and partial vectors; `whole_` and `width_` say which. INLINE marks functions that
// are always inlined. SWAP_BLOCKS and ACROSS_LANES are steps of `transpose` and of the horizontal reductions and are used only
// there. SWK_MASKS: see table.inc.h.
#include <math.h>
#include <string.h>

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef float v16u __attribute__((vector_size(64), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE v16 load(const float *p) { return *(const v16u *)p; }
INLINE void store(float *p, v16 v) { *(v16u *)p = v; }
INLINE v16 all(float x) { return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

// Loads and stores the first n elements of a vector; memory after them is not accessed.
#if SWK_MASKS == 512
INLINE __mmask16 first_of(size_t n) { return (__mmask16)((1u << n) - 1); }
INLINE v16 load_part(const float *p, size_t n) { return (v16)_mm512_maskz_loadu_ps(first_of(n), p); }
INLINE void store_part(float *p, v16 v, size_t n) { _mm512_mask_storeu_ps(p, first_of(n), (__m512)v); }
#elif SWK_MASKS == 256
typedef struct { __m256 low, high; } halves;
INLINE __m256i first_of(int n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
INLINE v16 load_part(const float *p, size_t n) {
    halves h = {_mm256_maskload_ps(p, first_of((int)n)), _mm256_setzero_ps()};
    if (n > 8) h.high = _mm256_maskload_ps(p + 8, first_of((int)n - 8));
    v16 v;
    memcpy(&v, &h, sizeof v);
    return v;
}
INLINE void store_part(float *p, v16 v, size_t n) {
    halves h;
    memcpy(&h, &v, sizeof v);
    _mm256_maskstore_ps(p, first_of((int)n), h.low);
    if (n > 8) _mm256_maskstore_ps(p + 8, first_of((int)n - 8), h.high);
}
#else
INLINE v16 load_part(const float *p, size_t n) {
    v16 v = {0};
    memcpy(&v, p, n * sizeof(float));
    return v;
}
INLINE void store_part(float *p, v16 v, size_t n) { memcpy(p, &v, n * sizeof(float)); }
#endif

// Transposes a 16 x 16 matrix by exchanging blocks of size 8, 4, 2 and 1.
#define SWAP_BLOCKS(S, FIRST, SECOND)                                                  \
    for (int i = 0; i < 16; i++)                                                       \
        if (!(i & S)) {                                                                \
            v16 a = r[i], b = r[i + S];                                                \
            r[i] = __builtin_shufflevector(a, b, FIRST), r[i + S] = __builtin_shufflevector(a, b, SECOND); \
        }
#define LIST(...) __VA_ARGS__
INLINE void transpose(v16 r[16]) {
    _Pragma("unroll") SWAP_BLOCKS(8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                                  LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    _Pragma("unroll") SWAP_BLOCKS(4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
                                  LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    _Pragma("unroll") SWAP_BLOCKS(2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
                                  LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    _Pragma("unroll") SWAP_BLOCKS(1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
                                  LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
}

INLINE v16 choose(i16 mask, v16 yes, v16 no) { return (v16)((mask & (i16)yes) | (~mask & (i16)no)); }
INLINE v16 first_lanes(v16 v, size_t n) {
    return choose((i16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} < (int32_t)n, v, all(0.0f));
}
INLINE v16 larger(v16 a, v16 b) { return choose(a > b, a, b); }
INLINE v16 smaller(v16 a, v16 b) { return choose(a < b, a, b); }

// Horizontal reduction: combines lanes that are 8, 4, 2 and 1 apart.
#define ACROSS_LANES(v, F)                                                                             \
    v = F(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));     \
    v = F(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));     \
    v = F(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));     \
    v = F(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
INLINE v16 plus(v16 a, v16 b) { return a + b; }
INLINE float sum_of(v16 v) {
    ACROSS_LANES(v, plus)
    return v[0];
}
INLINE float max_of(v16 v) {
    ACROSS_LANES(v, larger)
    return v[0];
}

// y * 2^k, where the integer k is in the low bits of n = k + ROUNDING; k is added to the exponent.
#define ROUNDING 12582912.0f // 1.5 * 2^23: adding it rounds a float to an integer
INLINE v16 times_power(v16 y, v16 n) { return (v16)((i16)y + ((i16)n << 23)); }

// exp with an error of about one unit in the last place: 2^n times a polynomial on [-ln2/2, ln2/2]. Above 88.72 the result
// saturates instead of overflowing to infinity; below -87.33 it is 0. NaN is preserved, because `smaller` and `larger` return
// their second argument for NaN.
INLINE v16 vexp(v16 x) {
    v16 kept = x;
    x = smaller(all(88.72283f), larger(all(-87.33654f), x));
    v16 n = x * all(1.44269504f) + all(ROUNDING), whole = n - all(ROUNDING);
    v16 r = x - whole * all(0.693359375f) + whole * all(2.12194440e-4f);
    v16 p = all(1.9875691500e-4f);
    p = p * r + all(1.3981999507e-3f);
    p = p * r + all(8.3334519073e-3f);
    p = p * r + all(4.1665795894e-2f);
    p = p * r + all(1.6666665459e-1f);
    p = p * r + all(5.0000001201e-1f);
    v16 y = times_power(p * r * r + r + all(1.0f), n);
    return choose(kept < all(-87.33654f), all(0.0f), y) + (x - x);
}

INLINE v16 vsigmoid(v16 x) { return all(1.0f) / (all(1.0f) + vexp(-x)); }

INLINE v16 vtanh(v16 x) {
    // 1 - 2/(e^2x + 1); near zero, where this form suffers from cancellation, an odd polynomial
    v16 x2 = x * x;
    v16 near = x + x * x2 * (all(-0.333333333f) + x2 * (all(0.133333333f) + x2 * all(-0.0539682540f)));
    v16 far = all(1.0f) - all(2.0f) / (vexp(x + x) + all(1.0f));
    return choose(x2 < all(0.01f), near, far);
}

// The upper tail probability of the normal distribution beyond z, for 0 <= z <= NORMAL_END: two to the power of a polynomial,
// with an absolute error below 2e-8 before rounding. The tail beyond NORMAL_END is 4e-11. The coefficients minimise the maximum
// error, weighted by the distribution to the power of 0.8.
#define NORMAL_END 6.5f
INLINE v16 vnormal_tail(v16 z) {
    v16 q = all(4.025927836e-7f);
    q = q * z + all(-8.041105289e-6f);
    q = q * z + all(6.651547198e-5f);
    q = q * z + all(-2.597755609e-4f);
    q = q * z + all(-2.512489960e-5f);
    q = q * z + all(6.968025229e-3f);
    q = q * z + all(-5.245289285e-2f);
    q = q * z + all(-4.592173030e-1f);
    q = q * z + all(-1.151104579f);
    q = q * z + all(-1.0f);
    v16 n = q + all(ROUNDING), r = q - (n - all(ROUNDING));
    v16 p = all(1.535336181e-4f);
    p = p * r + all(1.339887445e-3f);
    p = p * r + all(9.618437358e-3f);
    p = p * r + all(5.550332471e-2f);
    p = p * r + all(2.402264791e-1f);
    p = p * r + all(6.931472029e-1f);
    return times_power(p * r + all(1.0f), n);
}

// Executes `body` for n elements in vectors of 16. In it, LOAD(p) reads and STORE(p, v) writes the current vector.
#define EACH16(n, ...)                                                                    \
    do {                                                                                  \
        size_t i_ = 0;                                                                    \
        for (; i_ + 16 <= (n); i_ += 16) {                                                \
            const size_t at = i_, width_ = 16; const int whole_ = 1; (void)at, (void)width_; __VA_ARGS__ \
        }                                                                                 \
        if (i_ < (n)) {                                                                   \
            const size_t at = i_, width_ = (n) - i_; const int whole_ = 0; (void)at, (void)width_; __VA_ARGS__ \
        }                                                                                 \
    } while (0)
#define LOAD(p) (whole_ ? load((p) + at) : load_part((p) + at, width_))
#define STORE(p, v) (whole_ ? store((p) + at, (v)) : store_part((p) + at, (v), width_))
