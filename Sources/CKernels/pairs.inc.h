// Pairs of bfloat16 numbers, the elements of the matrices that bfloat16.inc.h multiplies: rounding, packing panels of B, and converting
// rows of A.
//
// Macros: BF16_PACKING(PACK, NARROW, ATTRIBUTE, PAIRED, ZIPPED) defines PACK, a bf16_pack, and NARROW, a bf16_narrow, whose functions
// have ATTRIBUTE. PAIRED rounds thirty-two adjacent elements to sixteen pairs, ZIPPED two vectors of sixteen to the low and high halves
// of sixteen pairs. They are used with integer arithmetic and, if SWK_NATIVE_BF16, with the conversion instruction of AVX-512-BF16,
// which replaces subnormal numbers by 0 (as its products do). Q8_PACKING(PACK, ATTRIBUTE, PAIRED) defines PACK, a q8_pack, in the same
// way. FIRST_PAIRS is PAIRED for a part of 32. EACH16 and
// LOAD are in vector.inc.h.

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

INLINE u16v zipped(v16 low, v16 high) { return narrowed(low) | narrowed(high) << 16; }

// The first n <= 32 elements, padded with zeros.
#define FIRST_PAIRS(PAIRED, P, N)                                                          \
    ((N) >= 32 ? PAIRED(load(P), load((P) + 16))                                           \
               : PAIRED((N) >= 16 ? load(P) : load_part(P, N), (N) > 16 ? load_part((P) + 16, (N) - 16) : all(0.0f)))

// PACK: one panel of B with n <= PANEL columns, B[p, j] = b[p*depth_stride + j*column_stride].
// NARROW: rows of A as pairs, A[i, p] = a[i*row_stride + p*depth_stride].
#define BF16_PACKING(PACK, NARROW, ATTRIBUTE, PAIRED, ZIPPED)                                                                \
    ATTRIBUTE void PACK(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out) {  \
        size_t pairs = (depth + 1) / 2, width = (n + 15) / 16 * 16;                                                          \
        if (column_stride == 1) {                                                                                            \
            for (size_t p = 0; p < pairs; p++, out += width) {                                                               \
                const float *row = b + 2 * p * depth_stride;                                                                 \
                int both = 2 * p + 1 < depth;                                                                                \
                EACH16(n, store_pairs(out + at, ZIPPED(LOAD(row), both ? LOAD(row + depth_stride) : all(0.0f)));             \
                       __builtin_prefetch(row + ROWS_AHEAD * depth_stride + at, 0, 3);                                       \
                       __builtin_prefetch(row + (ROWS_AHEAD + 1) * depth_stride + at, 0, 3););                               \
            }                                                                                                                \
            return;                                                                                                          \
        }                                                                                                                    \
        for (size_t first = 0; first < depth; first += 32) {                                                                 \
            size_t left = depth - first, rows = left < 32 ? (left + 1) / 2 : 16;                                             \
            for (size_t j = 0; j < width; j += 16) {                                                                         \
                u16v block[16];                                                                                              \
                for (size_t i = 0; i < 16; i++) {                                                                            \
                    const float *column = b + first * depth_stride + (j + i) * column_stride;                                \
                    if (j + i >= n) block[i] = (u16v){0};                                                                    \
                    else if (depth_stride == 1) {                                                                            \
                        block[i] = FIRST_PAIRS(PAIRED, column, left);                                                        \
                        __builtin_prefetch(column + 64, 0, 3);                                                               \
                        __builtin_prefetch(column + 80, 0, 3);                                                               \
                    } else block[i] = strided_pairs(left, column, depth_stride);                                             \
                }                                                                                                            \
                transpose((v16 *)block);                                                                                     \
                for (size_t p = 0; p < rows; p++) store_pairs(out + (first / 2 + p) * width + j, block[p]);                  \
            }                                                                                                                \
        }                                                                                                                    \
    }                                                                                                                        \
    ATTRIBUTE void NARROW(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out) { \
        size_t pairs = (depth + 1) / 2;                                                                                      \
        for (size_t i = 0; row_stride == 1 && depth_stride != 1 && i < rows; i += 16) {                                      \
            size_t count = rows - i < 16 ? rows - i : 16;                                                                    \
            for (size_t p = 0; p < pairs; p += 16) {                                                                         \
                u16v block[16];                                                                                              \
                for (size_t q = 0; q < 16; q++) {                                                                            \
                    size_t at = 2 * (p + q);                                                                                 \
                    const float *from = a + i + at * depth_stride;                                                           \
                    block[q] = at >= depth ? (u16v){0}                                                                       \
                                           : ZIPPED(load_first(from, count),                                                 \
                                                    at + 1 < depth ? load_first(from + depth_stride, count) : all(0.0f));    \
                }                                                                                                            \
                transpose((v16 *)block);                                                                                     \
                size_t steps = pairs - p < 16 ? pairs - p : 16;                                                              \
                for (size_t r = 0; r < count; r++) store_first((float *)(out + (i + r) * pairs + p), (v16)block[r], steps);  \
            }                                                                                                                \
        }                                                                                                                    \
        if (row_stride == 1 && depth_stride != 1) return;                                                                    \
        for (size_t i = 0; i < rows; i++, a += row_stride, out += pairs)                                                     \
            for (size_t p = 0; p < pairs; p += 16) {                                                                         \
                size_t left = depth - 2 * p;                                                                                 \
                const float *from = a + 2 * p * depth_stride;                                                                \
                u16v x = depth_stride == 1 ? FIRST_PAIRS(PAIRED, from, left) : strided_pairs(left, from, depth_stride);      \
                store_first((float *)(out + p), (v16)x, pairs - p < 16 ? pairs - p : 16);                                    \
            }                                                                                                                \
    }

// The first n elements of a row whose elements are `stride` apart, 32 at most.
static u16v strided_pairs(size_t n, const float *p, size_t stride) {
    u16v out = {0};
    for (size_t i = 0; i < 32 && i < n; i++) out[i / 2] |= narrowed_number(p[i * stride]) << (i % 2 * 16);
    return out;
}

BF16_PACKING(bf16_pack, bf16_narrow, static, paired, zipped)

#if SWK_NATIVE_BF16
// the attribute of a function replaces that of the build, so it names all instruction sets
#define NATIVE_TARGET __attribute__((target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2")))
#define NATIVE static NATIVE_TARGET
typedef uint16_t u32h __attribute__((vector_size(64)));
INLINE NATIVE_TARGET u16v paired_native(v16 a, v16 b) { return (u16v)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a); }
INLINE NATIVE_TARGET u16v zipped_native(v16 low, v16 high) {
    u32h x = (u32h)paired_native(low, high);
    return (u16v)__builtin_shufflevector(x, x, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                         28, 13, 29, 14, 30, 15, 31);
}
BF16_PACKING(bf16_pack_native, bf16_narrow_native, NATIVE, paired_native, zipped_native)
#endif

// MARK: Blocks of 8-bit integers

// PACK: one panel of B, n <= PANEL columns, from rows of blocks (q8.inc.h) that are `row` bytes apart: B[p, j] = number p of row j. The
// depth is a multiple of 32. PACK_columns packs `columns` <= 16 of them, and prefetches the same columns of the next panel; with the
// constant 16, nothing is padded. With SSE2 or NEON this is slower than widening the numbers first, since the sixteen rows do not fit
// into the registers.
#define Q8_PACKING(PACK, ATTRIBUTE, PAIRED)                                                                                  \
    __attribute__((always_inline))                                                                                           \
    ATTRIBUTE void PACK##_columns(size_t columns, size_t depth, const uint8_t *blocks, size_t row, uint32_t *out, size_t width) { \
        const uint8_t *fourth[4] = {blocks, blocks + 4 * row, blocks + 8 * row, blocks + 12 * row};                          \
        for (size_t p = 0; p < depth; p += Q8_COUNT) {                                                                       \
            u16v pairs[16];                                                                                                  \
            _Pragma("unroll") for (size_t i = 0; i < 16; i++) {                                                              \
                pairs[i] = (u16v){0};                                                                                        \
                if (i >= columns) continue;                                                                                  \
                const uint8_t *block = fourth[i / 4] + i % 4 * row;                                                          \
                v16 scale = scale_of(block);                                                                                 \
                pairs[i] = PAIRED(sixteen_of(block + 2, scale), sixteen_of(block + 18, scale));                              \
                __builtin_prefetch(block + PANEL * row, 0, 2);                                                               \
            }                                                                                                                \
            _Pragma("unroll") for (int i = 0; i < 4; i++) fourth[i] += Q8_BYTES;                                             \
            transpose((v16 *)pairs);                                                                                         \
            _Pragma("unroll") for (size_t i = 0; i < 16; i++) store_pairs(out + (p / 2 + i) * width, pairs[i]);              \
        }                                                                                                                    \
    }                                                                                                                        \
    ATTRIBUTE void PACK(size_t n, size_t depth, const uint8_t *blocks, size_t row, uint32_t *out) {                          \
        size_t width = (n + 15) / 16 * 16, j = 0;                                                                            \
        for (; j + 16 <= n; j += 16) PACK##_columns(16, depth, blocks + j * row, row, out + j, width);                       \
        if (j < n) PACK##_columns(n - j, depth, blocks + j * row, row, out + j, width);                                      \
    }
#ifdef SWK_MASKS
Q8_PACKING(q8_pack, static, paired)
#endif
#if SWK_NATIVE_BF16
Q8_PACKING(q8_pack_native, NATIVE, paired_native)
#endif

// MARK: Rows of pairs that are read again

// The first n of sixteen pairs, and zeros.
INLINE u16v load_first_pairs(const uint32_t *p, size_t n) { return (u16v)load_first((const float *)p, n < 16 ? n : 16); }

// The low and the high halves of the pairs of two rows as pairs of neighbours in depth: those of even and of odd columns.
INLINE u16v even_columns(u16v upper, u16v lower) { return (upper & 0xFFFFu) | lower << 16; }
INLINE u16v odd_columns(u16v upper, u16v lower) { return upper >> 16 | (lower & 0xFFFF0000u); }

// Packs one panel of B with n <= PANEL columns from rows of pairs, which are `stride` pairs apart.
static void bf16_pack_pairs(size_t n, size_t depth, const uint32_t *b, size_t stride, uint32_t *out) {
    size_t width = (n + 15) / 16 * 16;
    for (size_t p = 0; p < depth; p += 2, b += 2 * stride, out += width)
        for (size_t j = 0; j < width; j += 32) {
            size_t held = (n - j + 1) / 2;
            u16v upper = load_first_pairs(b + j / 2, held);
            u16v lower = p + 1 < depth ? load_first_pairs(b + stride + j / 2, held) : (u16v){0};
            u16v even = even_columns(upper, lower), odd = odd_columns(upper, lower);
            __builtin_prefetch(b + ROWS_AHEAD * stride + j / 2, 0, 3);
            __builtin_prefetch(b + (ROWS_AHEAD + 1) * stride + j / 2, 0, 3);
            store_pairs(out + j, __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
            if (j + 16 < width)
                store_pairs(out + j + 16,
                            __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
        }
}

// Writes n columns of rows of pairs, which are `stride` pairs apart, as rows of pairs of neighbours in depth. Blocks of 32 columns
// by 32 rows are transposed in registers; the next 32 rows are prefetched.
static void bf16_turn(size_t n, size_t depth, const uint32_t *a, size_t stride, uint32_t *out) {
    size_t pairs = (depth + 1) / 2;
    for (size_t first = 0; first < n; first += 32) {
        size_t count = n - first < 32 ? n - first : 32, held = (count + 1) / 2;
        for (size_t p = 0; p < pairs; p += 16) {
            size_t steps = pairs - p < 16 ? pairs - p : 16;
            v16 even[16], odd[16];
            for (size_t q = 0; q < 16; q++) {
                size_t row = 2 * (p + q);
                const uint32_t *from = a + row * stride + first / 2;
                u16v upper = row < depth ? load_first_pairs(from, held) : (u16v){0};
                u16v lower = row + 1 < depth ? load_first_pairs(from + stride, held) : (u16v){0};
                even[q] = (v16)even_columns(upper, lower);
                odd[q] = (v16)odd_columns(upper, lower);
                __builtin_prefetch(from + 32 * stride, 0, 3);
                __builtin_prefetch(from + 33 * stride, 0, 3);
            }
            transpose(even);
            transpose(odd);
            for (size_t i = 0; i < count; i++)
                store_first((float *)(out + (first + i) * pairs + p), i & 1 ? odd[i / 2] : even[i / 2], steps);
        }
    }
}
