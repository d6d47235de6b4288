// Matrix products of bfloat16 numbers with sums in float: C[m, n] (+)= A[m, depth] · B[depth, n].
//
// Two elements that are adjacent in depth form a pair of 32 bits. A is a row-major matrix of pairs. B is packed in contiguous
// panels of 64 columns (the last one padded to a multiple of 16), pair by pair within a panel, with the pairs of its columns side
// by side. An odd depth is padded with 0. An instruction of AVX-512-BF16 multiplies 16 pairs and adds the products; other builds
// extract the two halves of a pair with shifts, which gives the same sums up to rounding. For AVX2, the tiles
// here are only for few rows (bf16_few), and widened.inc.h has the product.
//
// Macros, from the last to the first: BF16_PRODUCT(NAME, ATTRIBUTE, STEP) defines NAME, a bf16_product whose functions have
// ATTRIBUTE. STEP adds the product of one pair of A and sixteen pairs of B to an accumulator. It is used with shifts (add_pairs)
// and with the instruction (add_pairs_native). BF16_PANEL defines NAME_panel_1 to NAME_panel_4, for panels of that many vectors;
// BF16_TILE defines NAME_6_VECTORS, NAME_4_VECTORS, NAME_2_VECTORS and NAME_1_VECTORS, for that many rows. EACH16 and LOAD are in
// vector.inc.h.

#define DEPTH_BLOCK 1024 // pairs: a panel's block of 256 KiB stays in the second-level cache

typedef uint32_t u16v __attribute__((vector_size(64)));
typedef uint32_t u16vu __attribute__((vector_size(64), aligned(4), may_alias));

INLINE u16v load_pairs(const uint32_t *p) { return *(const u16vu *)p; }
INLINE void store_pairs(uint32_t *p, u16v v) { *(u16vu *)p = v; }

// Rounds to the nearest bfloat16, ties to even, in the low half of every lane. NaN stays NaN.
INLINE u16v narrowed(v16 x) {
    u16v bits = (u16v)x;
    u16v rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    return (u16v)choose(x != x, (v16)((bits >> 16) | 0x40u), (v16)rounded);
}
INLINE uint32_t narrowed_number(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x != x ? (bits >> 16) | 0x40u : (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

// Thirty-two adjacent elements of a row as sixteen pairs.
INLINE u16v paired(v16 a, v16 b) {
    u16v x = narrowed(a), y = narrowed(b);
    return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
           | __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31) << 16;
}

// Packs one panel of B with n <= PANEL columns: B[p, j] = b[p*depth_stride + j*column_stride].
static void bf16_pack(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out) {
    size_t pairs = (depth + 1) / 2, width = (n + 15) / 16 * 16;
    if (column_stride == 1) {
        for (size_t p = 0; p < pairs; p++, out += width) {
            const float *row = b + 2 * p * depth_stride;
            int both = 2 * p + 1 < depth;
            EACH16(n, u16v low = narrowed(LOAD(row)); u16v high = both ? narrowed(LOAD(row + depth_stride)) : (u16v){0};
                   store_pairs(out + at, low | high << 16);
                   __builtin_prefetch(row + ROWS_AHEAD * depth_stride + at, 0, 3);
                   __builtin_prefetch(row + (ROWS_AHEAD + 1) * depth_stride + at, 0, 3););
        }
        return;
    }
    for (size_t first = 0; first < depth; first += 16) {
        size_t rows = depth - first < 16 ? depth - first : 16;
        for (size_t j = 0; j < width; j += 16) {
            v16 block[16];
            load_columns(rows, n - j < 16 ? n - j : 16, b + first * depth_stride + j * column_stride, depth_stride, column_stride,
                         block);
            for (size_t p = 0; p < rows; p += 2)
                store_pairs(out + (first + p) / 2 * width + j, narrowed(block[p]) | narrowed(block[p + 1]) << 16);
        }
    }
}

// Converts rows of A to pairs: A[i, p] = a[i*row_stride + p*depth_stride].
static void bf16_narrow(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out) {
    size_t pairs = (depth + 1) / 2, whole = depth / 2;
    // sixteen rows at a time: if they are columns in memory, each of their cache lines is read once
    for (size_t first = 0; first < rows; first += 16) {
        size_t count = rows - first < 16 ? rows - first : 16;
        const float *from = a + first * row_stride;
        uint32_t *to = out + first * pairs;
        if (depth_stride == 1) {
            for (size_t i = 0; i < count; i++) {
                const float *row = from + i * row_stride;
                size_t p = 0;
                for (; p + 16 <= whole; p += 16) store_pairs(to + i * pairs + p, paired(load(row + 2 * p), load(row + 2 * p + 16)));
                for (; p < whole; p++)
                    to[i * pairs + p] = narrowed_number(row[2 * p]) | narrowed_number(row[2 * p + 1]) << 16;
            }
        } else if (row_stride == 1) {
            // rows of the result are often a power of two apart and map to the same cache set, so whole cache lines are written
            for (size_t p = 0; p < whole; p += 16) {
                size_t steps = whole - p < 16 ? whole - p : 16;
                uint32_t block[16][16];
                for (size_t q = 0; q < steps; q++) {
                    const float *low = from + 2 * (p + q) * depth_stride, *high = low + depth_stride;
                    store_pairs(block[q], narrowed(load_first(low, count)) | narrowed(load_first(high, count)) << 16);
                }
                for (size_t i = 0; i < count; i++)
                    for (size_t q = 0; q < steps; q++) to[i * pairs + p + q] = block[q][i];
            }
        } else {
            for (size_t p = 0; p < whole; p++)
                for (size_t i = 0; i < count; i++)
                    to[i * pairs + p] = narrowed_number(from[i * row_stride + 2 * p * depth_stride])
                                        | narrowed_number(from[i * row_stride + (2 * p + 1) * depth_stride]) << 16;
        }
        if (whole < pairs)
            for (size_t i = 0; i < count; i++)
                to[i * pairs + whole] = narrowed_number(from[i * row_stride + (depth - 1) * depth_stride]);
    }
}

INLINE v16 add_pairs(v16 acc, uint32_t a, u16v b) {
    uint32_t low = a << 16, high = a & 0xFFFF0000u;
    float x, y;
    memcpy(&x, &low, sizeof x);
    memcpy(&y, &high, sizeof y);
    acc += all(x) * (v16)(b << 16);
    acc += all(y) * (v16)(b & 0xFFFF0000u);
    return acc;
}

// C[ROWS, 16*(VECTORS-1) + last] (+)= A · B for a range of pairs. STEP multiplies a pair of A by sixteen pairs of B.
#define BF16_TILE(NAME, ATTRIBUTE, STEP, ROWS, VECTORS)                                                              \
    ATTRIBUTE void NAME##_##ROWS##_##VECTORS(size_t last, size_t pairs, const uint32_t *a, size_t a_row, const uint32_t *b, \
                                             float *c, size_t c_row, int accumulate) {                               \
        v16 acc[ROWS][VECTORS];                                                                                      \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                             \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                      \
                acc[i][j] = accumulate ? load_first(c + i * c_row + 16 * j, j + 1 < VECTORS ? 16 : last) : all(0.0f); \
        for (size_t p = 0; p < pairs; p++) {                                                                         \
            u16v row[VECTORS];                                                                                       \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) row[j] = load_pairs(b + (p * VECTORS + j) * 16);     \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                                       \
                uint32_t x = a[i * a_row + p];                                                                       \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) acc[i][j] = STEP(acc[i][j], x, row[j]);          \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                             \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                      \
                store_first(c + i * c_row + 16 * j, acc[i][j], j + 1 < VECTORS ? 16 : last);                         \
    }

// Multiplies all rows by one panel of VECTORS vectors.
#define BF16_PANEL(NAME, ATTRIBUTE, STEP, VECTORS)                                                                   \
    BF16_TILE(NAME, ATTRIBUTE, STEP, 6, VECTORS)                                                                     \
    BF16_TILE(NAME, ATTRIBUTE, STEP, 4, VECTORS)                                                                     \
    BF16_TILE(NAME, ATTRIBUTE, STEP, 2, VECTORS)                                                                     \
    BF16_TILE(NAME, ATTRIBUTE, STEP, 1, VECTORS)                                                                     \
    ATTRIBUTE void NAME##_panel_##VECTORS(size_t last, size_t m, size_t pairs, const uint32_t *a, const uint32_t *b, \
                                          float *c, size_t c_row, int accumulate) {                                  \
        for (size_t p = 0; p < pairs; p += DEPTH_BLOCK, accumulate = 1) {                                            \
            size_t count = pairs - p < DEPTH_BLOCK ? pairs - p : DEPTH_BLOCK, i = 0;                                 \
            const uint32_t *block = b + p * 16 * VECTORS, *row = a + p;                                              \
            for (; i + 6 <= m; i += 6)                                                                               \
                NAME##_6_##VECTORS(last, count, row + i * pairs, pairs, block, c + i * c_row, c_row, accumulate);    \
            if (m - i >= 4) {                                                                                        \
                NAME##_4_##VECTORS(last, count, row + i * pairs, pairs, block, c + i * c_row, c_row, accumulate);    \
                i += 4;                                                                                              \
            }                                                                                                        \
            if (m - i >= 2) {                                                                                        \
                NAME##_2_##VECTORS(last, count, row + i * pairs, pairs, block, c + i * c_row, c_row, accumulate);    \
                i += 2;                                                                                              \
            }                                                                                                        \
            if (m - i >= 1)                                                                                          \
                NAME##_1_##VECTORS(last, count, row + i * pairs, pairs, block, c + i * c_row, c_row, accumulate);    \
        }                                                                                                            \
    }

// The whole product, panel by panel, so that each panel of B is read from memory once.
#define BF16_PRODUCT(NAME, ATTRIBUTE, STEP)                                                                          \
    BF16_PANEL(NAME, ATTRIBUTE, STEP, 1)                                                                             \
    BF16_PANEL(NAME, ATTRIBUTE, STEP, 2)                                                                             \
    BF16_PANEL(NAME, ATTRIBUTE, STEP, 3)                                                                             \
    BF16_PANEL(NAME, ATTRIBUTE, STEP, 4)                                                                             \
    ATTRIBUTE void NAME(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row, \
                        int accumulate) {                                                                            \
        size_t pairs = (depth + 1) / 2;                                                                              \
        for (size_t j = 0; j < n; j += PANEL, b += PANEL * pairs) {                                                  \
            size_t columns = n - j < PANEL ? n - j : PANEL, vectors = (columns + 15) / 16;                           \
            size_t last = columns - 16 * (vectors - 1);                                                              \
            switch (vectors) {                                                                                       \
            case 4: NAME##_panel_4(last, m, pairs, a, b, c + j, c_row, accumulate); break;                           \
            case 3: NAME##_panel_3(last, m, pairs, a, b, c + j, c_row, accumulate); break;                           \
            case 2: NAME##_panel_2(last, m, pairs, a, b, c + j, c_row, accumulate); break;                           \
            default: NAME##_panel_1(last, m, pairs, a, b, c + j, c_row, accumulate);                                 \
            }                                                                                                        \
        }                                                                                                            \
    }

#if SWK_MASKS == 256
BF16_PRODUCT(bf16_few, static, add_pairs)
#include "widened.inc.h"
#else
BF16_PRODUCT(bf16_product, static, add_pairs)
#endif

#if SWK_NATIVE_BF16
// the attribute of a function replaces that of the build, so it names all instruction sets
#define NATIVE_TARGET __attribute__((target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2")))
#define NATIVE static NATIVE_TARGET
INLINE NATIVE_TARGET v16 add_pairs_native(v16 acc, uint32_t a, u16v b) {
    return (v16)_mm512_dpbf16_ps((__m512)acc, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}
BF16_PRODUCT(bf16_product_native, NATIVE, add_pairs_native)
#endif
