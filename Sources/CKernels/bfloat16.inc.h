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
// BF16_TILE defines NAME_6_VECTORS, NAME_4_VECTORS, NAME_2_VECTORS and NAME_1_VECTORS, for that many rows.

#define DEPTH_BLOCK 1024 // pairs: a panel's block of 256 KiB stays in the second-level cache

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
INLINE NATIVE_TARGET v16 add_pairs_native(v16 acc, uint32_t a, u16v b) {
    return (v16)_mm512_dpbf16_ps((__m512)acc, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}
BF16_PRODUCT(bf16_product_native, NATIVE, add_pairs_native)
#endif
