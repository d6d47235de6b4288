// Products of floats whose right-hand side is packed once, in panels of 64 columns, and what follows a product while it is in the cache.
// A panel holds 16 * ceil(n / 16) columns, the surplus ones 0, side by side for every index of the depth.

static void panel_pack(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, float *out) {
    size_t width = (n + 15) / 16 * 16;
    for (size_t first = 0; first < width; first += 16) {
        size_t count = n - first < 16 ? n - first : 16;
        const float *from = b + first * column_stride;
        for (size_t p = 0; p < depth; p++) {
            float *to = out + p * width + first;
            for (size_t j = 0; j < count; j++) to[j] = from[j * column_stride + p * depth_stride];
            for (size_t j = count; j < 16; j++) to[j] = 0.0f;
        }
    }
}

static void panel_product(size_t m, size_t n, size_t depth, const float *a, size_t a_row, const float *b, float *c, size_t c_row) {
    size_t vectors = (n + 15) / 16, last = n - 16 * (vectors - 1), width = 16 * vectors;
#if SWK_WIDE
    switch (vectors) {
    case 4:
        // whole panels get a copy of the loops with constant strides
        if (last == 16) strip_of_4(16, m, depth, a, a_row, 1, b, 64, c, c_row, 0);
        else strip_4(last, m, depth, a, a_row, 1, b, width, c, c_row, 0);
        break;
    case 3: strip_3(last, m, depth, a, a_row, 1, b, width, c, c_row, 0); break;
    case 2: strip_2(last, m, depth, a, a_row, 1, b, width, c, c_row, 0); break;
    default: strip_1(last, m, depth, a, a_row, 1, b, width, c, c_row, 0);
    }
#else
    (void)last;
    product(m, n, depth, a, a_row, 1, b, width, c, c_row, 0);
#endif
}

INLINE v16 vrelu(v16 v) { return choose(v < all(0.0f), all(0.0f), v); }
INLINE v16 videntity(v16 v) { return v; }

#define FINISH(F)                                                                                       \
    for (size_t i = 0; i < rows; i++, x += x_row) {                                                     \
        if (residual) {                                                                                 \
            EACH16(n, STORE(x, F(LOAD(x) + LOAD(bias)) + LOAD(residual)););                             \
            residual += residual_row;                                                                   \
        } else {                                                                                        \
            EACH16(n, STORE(x, F(LOAD(x) + LOAD(bias))););                                              \
        }                                                                                               \
    }

static void finish(size_t rows, size_t n, const float *bias, swk_activation f, const float *residual, size_t residual_row, float *x,
                   size_t x_row) {
    switch (f) {
    case SWK_RELU: FINISH(vrelu) break;
    case SWK_GELU_ERF: FINISH(vgelu_erf) break;
    case SWK_GELU_TANH: FINISH(vgelu_tanh) break;
    default: FINISH(videntity)
    }
}
