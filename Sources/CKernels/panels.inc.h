// Products of floats with a matrix that is packed in panels: C[m, n] (+)= A[m, depth] · B[depth, n].
//
// B is stored in contiguous panels of 64 columns (the last one padded to a multiple of 16), row by row within a panel. It is read
// sequentially, which is the fastest access pattern. A weight that is packed once serves all later products.
//
// Macros: PANEL, GROUP, GROUP_ROWS and PANEL_DEPTH are block sizes for wide registers, QUARTER_DEPTH and QUARTER_ROWS for others.
// ROWS_AHEAD is the prefetch distance of packing. F32_PANEL(VECTORS) defines f32_panel_VECTORS, which multiplies all rows by a
// panel of 16*VECTORS columns, from the strips of products.inc.h.

#define PANEL 64 // columns of a panel, here and in bfloat16.inc.h
// Block sizes if a quarter of a panel's columns is used at a time: the depth, and the rows of A before the next quarter (96 KiB).
#define QUARTER_DEPTH 256
#define QUARTER_ROWS 96
#define PANEL_DEPTH SWK_PANEL_DEPTH
#define GROUP (SWK_PANEL_GROUP * PANEL)
#define GROUP_ROWS SWK_GROUP_ROWS

// Sixteen rows and columns of B, padded with zeros, one vector per row: B[p, j] = b[p*depth_stride + j*column_stride]. Sixteen
// columns are read concurrently, more than the hardware prefetcher follows, so the data three blocks ahead are prefetched.
INLINE void load_columns(size_t rows, size_t columns, const float *b, size_t depth_stride, size_t column_stride, v16 block[16]) {
    if (depth_stride == 1) {
        for (size_t j = 0; j < 16; j++) {
            block[j] = j < columns ? load_first(b + j * column_stride, rows) : all(0.0f);
            __builtin_prefetch(b + j * column_stride + 48, 0, 3);
        }
        transpose(block);
    } else {
        for (size_t p = 0; p < 16; p++)
            for (size_t j = 0; j < 16; j++)
                block[p][j] = p < rows && j < columns ? b[p * depth_stride + j * column_stride] : 0.0f;
    }
}

#define ROWS_AHEAD 16 // prefetch distance in rows for packing a panel whose rows are a matrix's width apart

// Packs one panel of B: B[p, j] = b[p*depth_stride + j*column_stride].
static void f32_pack(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, float *out) {
    size_t width = (n + 15) / 16 * 16;
    if (column_stride == 1) {
        for (size_t p = 0; p < depth; p++, b += depth_stride, out += width)
            for (size_t j = 0; j < width; j += 16) {
                store(out + j, load_first(b + j, n - j < 16 ? n - j : 16));
                __builtin_prefetch(b + ROWS_AHEAD * depth_stride + j, 0, 3);
            }
        return;
    }
    for (size_t first = 0; first < depth; first += 16) {
        size_t rows = depth - first < 16 ? depth - first : 16;
        for (size_t j = 0; j < width; j += 16) {
            size_t columns = n - j < 16 ? n - j : 16;
            v16 block[16];
            load_columns(rows, columns, b + first * depth_stride + j * column_stride, depth_stride, column_stride, block);
            for (size_t p = 0; p < rows; p++) store(out + (first + p) * width + j, block[p]);
        }
    }
}

#if SWK_WIDE
// The panel is in the second-level cache. Prefetching it four rows ahead gains 0-1 % on an idle machine, 3-4 % on a loaded one.
#define F32_PANEL(VECTORS)                                                                                           \
    static void f32_panel_##VECTORS(size_t last, size_t m, size_t depth, const float *a, size_t a_row, const float *b, \
                                    float *c, size_t c_row, int accumulate) {                                        \
        const size_t width = 16 * VECTORS, ahead = 4 * width;                                                        \
        if (last == 16) strip_of_##VECTORS(16, m, depth, a, a_row, 1, b, width, c, c_row, accumulate, ahead);        \
        else strip_of_##VECTORS(last, m, depth, a, a_row, 1, b, width, c, c_row, accumulate, ahead);                 \
    }
F32_PANEL(1)
F32_PANEL(2)
F32_PANEL(3)
F32_PANEL(4)

// Multiplies some rows of A by rows [from, from + count) of a group of panels. The group stays in the second-level cache for all
// rows of A. A, which may be further away, is read once per group.
static void f32_group(size_t m, size_t columns, size_t depth, size_t from, size_t count, const float *a, size_t a_row, const float *b,
                      float *c, size_t c_row, int accumulate) {
    for (size_t j = 0; j < columns; j += PANEL, b += PANEL * depth) {
        size_t width = columns - j < PANEL ? columns - j : PANEL, vectors = (width + 15) / 16, last = width - 16 * (vectors - 1);
        const float *panel = b + from * 16 * vectors;
        switch (vectors) {
        case 4: f32_panel_4(last, m, count, a + from, a_row, panel, c + j, c_row, accumulate); break;
        case 3: f32_panel_3(last, m, count, a + from, a_row, panel, c + j, c_row, accumulate); break;
        case 2: f32_panel_2(last, m, count, a + from, a_row, panel, c + j, c_row, accumulate); break;
        default: f32_panel_1(last, m, count, a + from, a_row, panel, c + j, c_row, accumulate);
        }
    }
}

static void f32_product(size_t m, size_t n, size_t depth, const float *a, size_t a_row, const float *b, float *c,
                        size_t c_row, int accumulate) {
    for (size_t j = 0; j < n; j += GROUP) {
        size_t columns = n - j < GROUP ? n - j : GROUP;
        for (size_t p = 0; p < depth; p += PANEL_DEPTH) {
            size_t count = depth - p < PANEL_DEPTH ? depth - p : PANEL_DEPTH;
            for (size_t i = 0; i < m; i += GROUP_ROWS)
                f32_group(m - i < GROUP_ROWS ? m - i : GROUP_ROWS, columns, depth, p, count, a + i * a_row, a_row, b + j * depth,
                          c + i * c_row + j, c_row, accumulate || p > 0);
        }
    }
}
#else
// Multiplies all rows by sixteen columns of B whose rows are `width` apart, such as a quarter of a panel. Inlined into f32_product,
// it is 12 % slower with SSE2, because more sums leave their registers.
__attribute__((noinline))
static void f32_quarter(size_t last, size_t m, size_t depth, const float *a, size_t a_row, const float *b, size_t width, float *c,
                        size_t c_row, int accumulate) {
    if (last == 16) strip_of_1(16, m, depth, a, a_row, 1, b, width, c, c_row, accumulate, 0);
    else strip_of_1(last, m, depth, a, a_row, 1, b, width, c, c_row, accumulate, 0);
}

// A block of A, as many rows and as deep as the block sizes say, stays in the second-level cache for all panels, and the rows of a
// tile in the first-level cache for one quarter of a panel.
static void f32_product(size_t m, size_t n, size_t depth, const float *a, size_t a_row, const float *b, float *c, size_t c_row,
                        int accumulate) {
    for (size_t p = 0; p < depth; p += QUARTER_DEPTH, accumulate = 1) {
        size_t count = depth - p < QUARTER_DEPTH ? depth - p : QUARTER_DEPTH;
        for (size_t first = 0; first < m; first += QUARTER_ROWS) {
            size_t rows = m - first < QUARTER_ROWS ? m - first : QUARTER_ROWS;
            const float *from = a + first * a_row + p, *panel = b;
            for (size_t j = 0; j < n; j += PANEL, panel += PANEL * depth) {
                size_t columns = n - j < PANEL ? n - j : PANEL, width = (columns + 15) / 16 * 16;
                for (size_t k = 0; k < columns; k += 16)
                    f32_quarter(columns - k < 16 ? columns - k : 16, rows, count, from, a_row, panel + p * width + k, width,
                                c + first * c_row + j + k, c_row, accumulate);
            }
        }
    }
}
#endif
