// bf16_product for AVX2: blocks of both factors are widened to floats, and the tiles of f32_product multiply them. Four vectors of
// pairs, their halves and the sums do not fit into sixteen registers of eight floats, and a block that is widened once serves many
// tiles. The sums are those of bf16_few, bit for bit.

#define WIDENED_PAIRS 64 // the depth of a block
#define WIDENED_ROWS 48 // the rows of A in a block; both blocks together take 56 KiB
#define FEWEST_WIDENED 6 // with fewer rows, widening costs more than it saves
#define PAIRS_AHEAD 1024 // prefetch distance in B

// The floats of a part of a panel, with sixteen columns side by side. Panels are read from front to back.
typedef float widened_columns[2 * WIDENED_PAIRS][16];
INLINE void widen_panel(size_t pairs, size_t width, const uint32_t *from, widened_columns *to) {
    for (size_t p = 0; p < pairs; p++)
        for (size_t k = 0; k < width; k += 16, from += 16) {
            u16v both = load_pairs(from);
            __builtin_prefetch(from + PAIRS_AHEAD);
            store(to[k / 16][2 * p], (v16)(both << 16));
            store(to[k / 16][2 * p + 1], (v16)(both & 0xFFFF0000u));
        }
}

static void bf16_product(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row, int accumulate) {
    if (m < FEWEST_WIDENED) {
        bf16_few(m, n, depth, a, b, c, c_row, accumulate);
        return;
    }
    _Alignas(64) float rows[WIDENED_ROWS * 2 * WIDENED_PAIRS];
    _Alignas(64) widened_columns columns[PANEL / 16];
    size_t pairs = (depth + 1) / 2;
    for (size_t p = 0; p < pairs; p += WIDENED_PAIRS, accumulate = 1) {
        size_t count = pairs - p < WIDENED_PAIRS ? pairs - p : WIDENED_PAIRS;
        for (size_t first = 0; first < m; first += WIDENED_ROWS) {
            size_t height = m - first < WIDENED_ROWS ? m - first : WIDENED_ROWS;
            const uint32_t *panel = b;
            bf16_widen(height, 2 * count, 2 * pairs, (const uint16_t *)(a + first * pairs + p), rows);
            for (size_t j = 0; j < n; j += PANEL, panel += PANEL * pairs) {
                size_t end = n - j < PANEL ? n - j : PANEL, width = (end + 15) / 16 * 16;
                widen_panel(count, width, panel + p * width, columns);
                for (size_t k = 0; k < end; k += 16)
                    f32_quarter(end - k < 16 ? end - k : 16, height, 2 * count, rows, 2 * count, columns[k / 16][0], 16,
                                c + first * c_row + j + k, c_row, accumulate);
            }
        }
    }
}
