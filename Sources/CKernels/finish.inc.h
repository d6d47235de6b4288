// The operations after a product, while the result is in the cache: bias, activation and residual.
//
// Macros: FINISH(F) is the loop over the rows for one activation F of a vector; `finish` selects one of four outside the loop.
// EACH16, LOAD and STORE are in vector.inc.h.

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
