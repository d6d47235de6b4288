// Conversions of arrays between floats and bfloat16 numbers.
//
// Macros: EACH16, LOAD and STORE are in vector.inc.h. WIDE(p) is the current vector of bfloat16 numbers at p as floats, inside EACH16.

// Sixteen bfloat16 numbers, the upper halves of floats.
typedef uint16_t h16 __attribute__((vector_size(32)));
typedef uint16_t h16u __attribute__((vector_size(32), aligned(2), may_alias));
INLINE v16 widened(h16 x) { return (v16)(__builtin_convertvector(x, u16v) << 16); }
INLINE v16 widened_part(const uint16_t *p, size_t n) {
    h16 x = {0};
    memcpy(&x, p, n * sizeof *p);
    return widened(x);
}
#define WIDE(p) (whole_ ? widened(*(const h16u *)((p) + at)) : widened_part((p) + at, width_))

static void bf16_round(size_t n, const float *x, uint16_t *out) {
    EACH16(n, h16 bits = __builtin_convertvector(narrowed(LOAD(x)), h16);
           if (whole_) *(h16u *)(out + at) = bits; else memcpy(out + at, &bits, width_ * sizeof *out););
}

static void bf16_widen(size_t rows, size_t n, size_t stride, const uint16_t *x, float *out) {
    for (size_t i = 0; i < rows; i++, x += stride, out += n) EACH16(n, STORE(out, WIDE(x)););
}
