// Products of floats on AMX, which supports only bfloat16 numbers: a float is exactly the sum of three of them.
//
// x = x1 + x2 + x3, where x1 is the nearest bfloat16 number, x2 the bfloat16 number nearest to the remainder, and x3 the rest: a
// float has 24 significant bits, a bfloat16 number 8. Of the nine products of parts, the six largest are summed, the smallest of
// them first. The others would add less than 2^-23 of a product, which is less than the rounding of a sum of floats (Henry, Tang
// & Heinecke 2019, https://arxiv.org/abs/1904.06376). An infinity becomes NaN, and magnitudes below 2^-126, including those of
// parts, count as 0.
//
// Rows and panels are stored in tiles of 16 rows (of A) or columns (of B) by 32 elements of depth, padded with zeros. The three
// parts of a tile are contiguous, and so are the tiles along the depth.
//
// Macros: PART and SPLIT are the numbers of pairs in one part and in a tile of three parts; SPLIT_STEPS is the number of tiles
// along the depth that are used at a time. WITHOUT_TINY_NUMBERS({ … }) executes its block with subnormal numbers treated as 0 and
// then restores the processor's mode. SPLIT_BLOCK(DOWN, ACROSS) defines split_block_DOWN_ACROSS (DOWN, ACROSS, the registers and
// TILES_BEGIN as in tiles.inc.h). SPLIT_LEFT and SPLIT_RIGHT load one part of A or B, SPLIT_MULTIPLY adds the product of the
// loaded parts, SPLIT_ASK prefetches C. SPLIT_CALL calls split_block_DOWN_ACROSS with the variables of the loop.

#define PART 256 // pairs in one part of a tile
#define SPLIT SWK_SPLIT_TILE
#define SPLIT_STEPS (SWK_SPLIT_DEPTH / 32) // tiles along the depth that are used at a time

INLINE u16v nearest_part(v16 x) { return ((u16v)x + 0x8000u) & 0xFFFF0000u; }

// Stores the three parts of sixteen pairs; `low` and `high` are the two elements of each pair.
INLINE void store_parts(v16 low, v16 high, uint32_t *out) {
    u16v x1 = nearest_part(low), y1 = nearest_part(high);
    v16 x = low - (v16)x1, y = high - (v16)y1;
    u16v x2 = nearest_part(x), y2 = nearest_part(y);
    u16v x3 = (u16v)(x - (v16)x2), y3 = (u16v)(y - (v16)y2);
    store_pairs(out, x1 >> 16 | y1);
    store_pairs(out + PART, x2 >> 16 | y2);
    store_pairs(out + 2 * PART, x3 >> 16 | (y3 & 0xFFFF0000u));
}

// The remainder of a tiny number is subnormal, which the processor handles about a hundred times more slowly, so subnormal
// numbers are treated as 0.
#define WITHOUT_TINY_NUMBERS(...)                                       \
    do {                                                                \
        unsigned kept_ = _mm_getcsr();                                  \
        _mm_setcsr(kept_ | 0x8040); /* flush to zero, and zero read */  \
        __VA_ARGS__                                                     \
        _mm_setcsr(kept_);                                              \
    } while (0)

// If elements along the depth are not contiguous, each tile is transposed first.
static void split_rows(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out) {
    size_t steps = (depth + 31) / 32;
    float turned[16 * 32] __attribute__((aligned(64)));
    WITHOUT_TINY_NUMBERS({
        for (size_t first = 0; first < rows; first += 16) {
            size_t count = rows - first < 16 ? rows - first : 16;
            for (size_t k = 0; k < steps; k++, out += SPLIT) {
                const float *from = a + first * row_stride + 32 * k * depth_stride;
                size_t left = depth - 32 * k < 32 ? depth - 32 * k : 32, row = row_stride;
                if (depth_stride != 1) {
                    f32_pack(left, count, from, row_stride, depth_stride, turned);
                    from = turned, row = (left + 15) / 16 * 16;
                }
                for (size_t i = 0; i < 16; i++, from += row) {
                    size_t numbers = i < count ? left : 0;
                    v16 x = numbers >= 16 ? load(from) : load_part(from, numbers);
                    v16 y = numbers == 32 ? load(from + 16) : numbers > 16 ? load_part(from + 16, numbers - 16) : all(0.0f);
                    store_parts(__builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
                                __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31),
                                out + 16 * i);
                }
            }
        }
    });
}

static void split_panel(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out, size_t steps) {
    float turned[32 * PANEL] __attribute__((aligned(64)));
    WITHOUT_TINY_NUMBERS({
        for (size_t k = 0; k < depth; k += 32, b += 32 * depth_stride) {
            size_t count = depth - k < 32 ? depth - k : 32, row = depth_stride;
            const float *from = b;
            if (column_stride != 1) {
                f32_pack(n, count, b, depth_stride, column_stride, turned);
                from = turned, row = (n + 15) / 16 * 16;
            }
            for (size_t p = 0; p < 16; p++, from += 2 * row)
                for (size_t j = 0; j < n; j += 16) {
                    size_t columns = n - j < 16 ? n - j : 16;
                    v16 low = 2 * p < count ? load_first(from + j, columns) : all(0.0f);
                    v16 high = 2 * p + 1 < count ? load_first(from + row + j, columns) : all(0.0f);
                    store_parts(low, high, out + (j / 16 * steps + k / 32) * SPLIT + 16 * p);
                }
        }
    });
}

// Up to four tiles of C stay in registers 0 to 3; parts of A are loaded into 4 and 5, parts of B into 6 and 7.
#define SPLIT_LEFT(DOWN, P)                                        \
    _tile_loadd(4, a + (P) * PART, 64);                            \
    if (DOWN == 2) _tile_loadd(5, a + a_row + (P) * PART, 64);
#define SPLIT_RIGHT(ACROSS, P)                                     \
    _tile_loadd(6, b + (P) * PART, 64);                            \
    if (ACROSS == 2) _tile_loadd(7, b + b_column + (P) * PART, 64);
#define SPLIT_MULTIPLY(DOWN, ACROSS)                               \
    _tile_dpbf16ps(0, 4, 6);                                       \
    if (ACROSS == 2) _tile_dpbf16ps(1, 4, 7);                      \
    if (DOWN == 2) _tile_dpbf16ps(2, 5, 6);                        \
    if (DOWN == 2 && ACROSS == 2) _tile_dpbf16ps(3, 5, 7);

// C may not be in the cache; prefetching it before it is written saves 2-6 %.
#define SPLIT_ASK(ROWS, ACROSS)                                    \
    for (size_t i = 0; i < ROWS; i++) {                            \
        __builtin_prefetch(c + i * c_row, 1);                      \
        if (ACROSS == 2) __builtin_prefetch(c + i * c_row + 16, 1); \
    }

#define SPLIT_BLOCK(DOWN, ACROSS)                                                                                           \
    INLINE TILE_TARGET void split_block_##DOWN##_##ACROSS(size_t rows, size_t columns, size_t steps, const uint32_t *a, size_t a_row, \
                                                          const uint32_t *b, size_t b_column, float *c, size_t c_row, int accumulate) { \
        TILES_BEGIN(DOWN, ACROSS)                                                                             \
        for (size_t k = 0; k < steps; k++, a += SPLIT, b += SPLIT) {                                                        \
            if (k + 2 == steps) { SPLIT_ASK(rows, ACROSS) }                                                                 \
            SPLIT_LEFT(DOWN, 0)                                                                                             \
            SPLIT_RIGHT(ACROSS, 2) SPLIT_MULTIPLY(DOWN, ACROSS)                                                             \
            SPLIT_RIGHT(ACROSS, 1) SPLIT_MULTIPLY(DOWN, ACROSS)                                                             \
            SPLIT_LEFT(DOWN, 1) SPLIT_MULTIPLY(DOWN, ACROSS)                                                                \
            SPLIT_RIGHT(ACROSS, 0) SPLIT_MULTIPLY(DOWN, ACROSS)                                                             \
            SPLIT_LEFT(DOWN, 2) SPLIT_MULTIPLY(DOWN, ACROSS)                                                                \
            SPLIT_LEFT(DOWN, 0) SPLIT_MULTIPLY(DOWN, ACROSS)                                                                \
        }                                                                                                                   \
        TILES_END(DOWN, ACROSS)                                                                               \
    }
SPLIT_BLOCK(1, 1)
SPLIT_BLOCK(1, 2)
SPLIT_BLOCK(2, 1)
SPLIT_BLOCK(2, 2)

// The block of B's panels that is used at a time stays in the second-level cache for all rows of A.
static TILE_TARGET void split_product(size_t m, size_t n, size_t depth, const uint32_t *a, size_t a_steps, const uint32_t *b,
                                      float *c, size_t c_row, int accumulate) {
    const size_t steps = (depth + 31) / 32, a_row = a_steps * SPLIT, b_column = steps * SPLIT;
    _tile_loadconfig(&whole_tiles);
    for (size_t p = 0; p < steps; p += SPLIT_STEPS) {
        size_t count = steps - p < SPLIT_STEPS ? steps - p : SPLIT_STEPS;
        int add = accumulate || p > 0;
        for (size_t i = 0; i < m; i += 32) {
            size_t rows = m - i < 32 ? m - i : 32;
            const uint32_t *x = a + i / 16 * a_row + p * SPLIT;
            for (size_t j = 0; j < n; j += 32) {
                size_t columns = n - j < 32 ? n - j : 32;
                const uint32_t *y = b + j / 16 * b_column + p * SPLIT;
                float *z = c + i * c_row + j;
#define SPLIT_CALL(DOWN, ACROSS) split_block_##DOWN##_##ACROSS(rows, columns, count, x, a_row, y, b_column, z, c_row, add)
                if (rows > 16) {
                    if (columns > 16) SPLIT_CALL(2, 2); else SPLIT_CALL(2, 1);
                } else {
                    if (columns > 16) SPLIT_CALL(1, 2); else SPLIT_CALL(1, 1);
                }
            }
        }
    }
    _tile_release();
}
