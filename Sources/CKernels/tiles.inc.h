// Products of bfloat16 numbers on AMX, the processor's tile registers. One instruction multiplies a tile of 16 rows by 16 pairs
// with a tile of 16 pairs by 16 columns. A and B have the layout of bfloat16.inc.h, whose panels already consist of such tiles.
//
// Four tiles of C, 32 rows by 32 columns, stay in registers while two tiles of A and two of B are loaded at each step. Partial
// tiles are copied to complete ones, padded with zeros, so that every sum of C is the same regardless of its neighbours.
//
// Macros: DOWN and ACROSS, 1 or 2, are the numbers of tiles of C in a block. Registers 0 to 3 hold C, row by row; 4 and 5 hold A,
// 6 and 7 hold B. TILES_BEGIN(DOWN, ACROSS) and TILES_END start and end the body of a function: they declare sizes, and load or
// store all tiles of C with TILE_BEGIN and TILE_END. TILE_BLOCK(DOWN, ACROSS) defines tile_block_DOWN_ACROSS; TILE_CALL calls it
// with the variables of the loop. Register numbers must be literals, which is why these are macros. TILE_TARGET names all
// instruction sets, because the attribute of a function replaces that of the build. Only builds with SWK_TILES_TABLE include this
// file.

#define TILE_TARGET __attribute__((target("amx-bf16,amx-tile,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2")))
#define TILE_PAIRS 16
#define TILE_DEPTH 1024  // pairs of a panel that are used at a time: 256 KiB
#define TILE_ROWS 131072 // pairs of A that are used at a time: 512 KiB; both stay in the second-level cache

// The configuration for _tile_loadconfig: all eight tiles have 16 rows of 64 bytes.
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;
static const tile_shapes whole_tiles = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

// Loads or stores one tile of C. A partial tile goes through a copy.
typedef struct { float numbers[256]; } tile_copy;
INLINE TILE_TARGET void tile_to(float *c, size_t c_row, size_t rows, size_t columns, const tile_copy *from) {
    for (size_t i = 0; i < rows; i++) store_part(c + i * c_row, load(from->numbers + 16 * i), columns);
}
INLINE TILE_TARGET void tile_from(const float *c, size_t c_row, size_t rows, size_t columns, tile_copy *to) {
    for (size_t i = 0; i < rows; i++) store(to->numbers + 16 * i, load_part(c + i * c_row, columns));
}
#define TILE_BEGIN(T, ROWS, COLUMNS, AT)                                                             \
    if (!accumulate) _tile_zero(T);                                                                  \
    else if ((ROWS) == 16 && (COLUMNS) == 16) _tile_loadd(T, c + (AT), c_row * 4);                   \
    else { tile_from(c + (AT), c_row, ROWS, COLUMNS, &copy); _tile_loadd(T, copy.numbers, 64); }
#define TILE_END(T, ROWS, COLUMNS, AT)                                                               \
    if ((ROWS) == 16 && (COLUMNS) == 16) _tile_stored(T, c + (AT), c_row * 4);                       \
    else { _tile_stored(T, copy.numbers, 64); tile_to(c + (AT), c_row, ROWS, COLUMNS, &copy); }

// Loads or stores all tiles of C, DOWN rows of ACROSS tiles, in registers 0 to 3.
#define TILES_BEGIN(DOWN, ACROSS)                                                            \
    tile_copy copy;                                                                          \
    const size_t below = DOWN == 2 ? rows - 16 : 0, right = ACROSS == 2 ? columns - 16 : 0;  \
    const size_t above = DOWN == 2 ? 16 : rows, left = ACROSS == 2 ? 16 : columns;           \
    TILE_BEGIN(0, above, left, 0)                                                            \
    if (ACROSS == 2) { TILE_BEGIN(1, above, right, 16) }                                     \
    if (DOWN == 2) { TILE_BEGIN(2, below, left, 16 * c_row) }                                \
    if (DOWN == 2 && ACROSS == 2) { TILE_BEGIN(3, below, right, 16 * c_row + 16) }
#define TILES_END(DOWN, ACROSS)                                                              \
    TILE_END(0, above, left, 0)                                                              \
    if (ACROSS == 2) { TILE_END(1, above, right, 16) }                                       \
    if (DOWN == 2) { TILE_END(2, below, left, 16 * c_row) }                                  \
    if (DOWN == 2 && ACROSS == 2) { TILE_END(3, below, right, 16 * c_row + 16) }

// C[rows <= 16 * DOWN, columns <= 16 * ACROSS] (+)= A · B for complete tiles of pairs, and for the remaining pairs if `a_last`
// (rows of 16 pairs) is not NULL; `b_last` has 16 pairs of a panel's width.
#define TILE_BLOCK(DOWN, ACROSS)                                                                                       \
    INLINE TILE_TARGET void tile_block_##DOWN##_##ACROSS(                                                              \
        size_t rows, size_t columns, size_t whole, const uint32_t *a, size_t a_row, const uint32_t *b, size_t b_row,    \
        const uint32_t *a_last, const uint32_t *b_last, float *c, size_t c_row, int accumulate) {                      \
        TILES_BEGIN(DOWN, ACROSS)                                                                             \
        for (size_t p = 0;; p += TILE_PAIRS) {                                                                         \
            const uint32_t *x = a + p, *y = b + p * b_row;                                                             \
            size_t x_row = a_row;                                                                                      \
            if (p == whole) {                                                                                          \
                if (!a_last) break;                                                                                    \
                x = a_last, y = b_last, x_row = TILE_PAIRS;                                                            \
            }                                                                                                          \
            _tile_loadd(6, y, b_row * 4);                                                                              \
            _tile_loadd(4, x, x_row * 4);                                                                              \
            _tile_dpbf16ps(0, 4, 6);                                                                                   \
            if (ACROSS == 2) { _tile_loadd(7, y + 16, b_row * 4); _tile_dpbf16ps(1, 4, 7); }                           \
            if (DOWN == 2) { _tile_loadd(5, x + 16 * x_row, x_row * 4); _tile_dpbf16ps(2, 5, 6); }                     \
            if (DOWN == 2 && ACROSS == 2) _tile_dpbf16ps(3, 5, 7);                                                     \
            if (p == whole) break;                                                                                     \
        }                                                                                                              \
        TILES_END(DOWN, ACROSS)                                                                               \
    }
TILE_BLOCK(1, 1)
TILE_BLOCK(1, 2)
TILE_BLOCK(2, 1)
TILE_BLOCK(2, 2)

// Copies the remaining pairs of some rows, padded with zeros.
INLINE TILE_TARGET void copy_last(size_t rows, size_t count, const uint32_t *from, size_t from_row, uint32_t *to) {
    for (size_t i = 0; i < rows; i++)
        store((float *)(to + i * TILE_PAIRS), load_part((const float *)(from + i * from_row), count));
}

// Multiplies rows of A by one block of a panel's pairs, which start at `a` and `b`.
INLINE TILE_TARGET void tile_panel(size_t m, size_t columns, size_t width, size_t count, size_t pairs, const uint32_t *a,
                                   const uint32_t *b, const uint32_t *b_last, float *c, size_t c_row, int accumulate) {
    size_t last = count % TILE_PAIRS, whole = count - last;
    uint32_t a_copy[32 * TILE_PAIRS] __attribute__((aligned(64)));
    for (size_t i = 0; i < m; i += 32) {
        size_t rows = m - i < 32 ? m - i : 32;
        const uint32_t *x = a + i * pairs, *x_last = last ? a_copy : NULL;
        if (last) copy_last(rows, last, x + whole, pairs, a_copy);
        for (size_t j = 0; j < columns; j += 32) {
            size_t across = columns - j < 32 ? columns - j : 32;
            float *z = c + i * c_row + j;
#define TILE_CALL(DOWN, ACROSS)                                                                                            \
    tile_block_##DOWN##_##ACROSS(rows, across, whole, x, pairs, b + j, width, x_last, b_last + j, z, c_row, accumulate)
            if (rows > 16) {
                if (across > 16) TILE_CALL(2, 2); else TILE_CALL(2, 1);
            } else {
                if (across > 16) TILE_CALL(1, 2); else TILE_CALL(1, 1);
            }
        }
    }
}

static TILE_TARGET void bf16_product_tiles(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c,
                                           size_t c_row, int accumulate) {
    size_t pairs = (depth + 1) / 2, last = pairs % TILE_PAIRS;
    size_t block = TILE_ROWS / pairs / 32 * 32;
    if (block < 64) block = 64;
    _tile_loadconfig(&whole_tiles);
    for (size_t i = 0; i < m; i += block) {
        size_t rows = m - i < block ? m - i : block;
        for (size_t j = 0; j < n; j += PANEL) {
            size_t columns = n - j < PANEL ? n - j : PANEL, width = (columns + 15) / 16 * 16;
            const uint32_t *panel = b + j * pairs;
            uint32_t b_last[TILE_PAIRS * PANEL] __attribute__((aligned(64))) = {0}; // no rest of another panel: 0 times infinity is NaN
            memcpy(b_last, panel + (pairs - last) * width, last * width * 4);
            for (size_t p = 0; p < pairs; p += TILE_DEPTH) {
                size_t count = pairs - p < TILE_DEPTH ? pairs - p : TILE_DEPTH;
                tile_panel(rows, columns, width, count, pairs, a + i * pairs + p, panel + p * width, b_last, c + i * c_row + j, c_row,
                           accumulate || p > 0);
            }
        }
    }
    _tile_release();
}
