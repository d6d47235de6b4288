// The steps of the optimisers AdamW, also with moments in 8 bits, Lion, and Adafactor.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are the loop over all parameters.

// What is the same for all parameters of an AdamW step.
typedef struct { float step, root, decay; } adam_factors;
INLINE adam_factors factors(const swk_adam *a) {
    return (adam_factors){a->learning_rate / a->correction1, 1.0f / sqrtf(a->correction2), 1.0f - a->learning_rate * a->weight_decay};
}

// AdamW: first decoupled weight decay, then the step with bias-corrected moments. Updates the moments m and s; returns the value.
INLINE v16 adam16(const swk_adam *a, adam_factors f, v16 gradient, v16 value, v16 *m, v16 *s) {
    v16 g = gradient * all(a->gradient_scale);
    *m = *m + (g - *m) * all(1.0f - a->beta1);
    *s = *s * all(a->beta2) + g * g * all(1.0f - a->beta2);
    v16 deviation = __builtin_elementwise_sqrt(*s);
    return value * all(f.decay) - all(f.step) * *m / (deviation * all(f.root) + all(a->epsilon));
}

static void adam(size_t n, const swk_adam *a, const float *gradient, float *value, float *first, float *second) {
    adam_factors f = factors(a);
    EACH16(n, v16 m = LOAD(first); v16 s = LOAD(second);
           v16 changed = adam16(a, f, LOAD(gradient), LOAD(value), &m, &s);
           STORE(first, m);
           STORE(second, s);
           STORE(value, changed););
}

// MOMENTS IN 8 BITS

// The index of the cell of a map that a number from -1 to 1 lies in; for all other numbers, that of a cell.
INLINE i16 cells(v16 x) {
    i16 cell = (((i16)x & 0x7FFFFFFF) >> SWK_MAP_SHIFT) - SWK_MAP_FIRST;
    cell &= cell > 0;
    i16 excess = cell - (SWK_MAP_CELLS - 1);
    cell -= excess & (excess > 0);
    return cell + (((i16)x < 0) & SWK_MAP_CELLS);
}

typedef int32_t i16u __attribute__((vector_size(64), aligned(4), may_alias));

// Writes the codes of the nearest numbers for one block, the lower one of two that are equally near; returns its scale. Overwrites x.
// With `keeps_positive`, a number above 0 never becomes 0.
INLINE float encode(const swk_code_map *map, size_t n, float *x, v16 largest, int keeps_positive, uint8_t *codes) {
    int32_t places[SWK_CODE_BLOCK];
    float scale = max_of(largest);
    if (!(scale > 0.0f)) {
        memset(codes, map->zero, n);
        return 0.0f;
    }
    scale = scale < __FLT_MAX__ ? scale : __FLT_MAX__; // a moment that is infinite stays the largest of its block
    EACH16(n, v16 y = LOAD(x) / all(scale);
           if (keeps_positive) y = choose((LOAD(x) > all(0.0f)) & (y < all(map->values[1])), all(map->values[1]), y);
           STORE(x, y);
           *(i16u *)(places + at) = cells(y););
    for (size_t i = 0; i < n; i++) { // a cell has at most one bound between codes
        uint8_t code = map->starts[places[i]];
        codes[i] = (uint8_t)(code + (x[i] > map->bounds[code]));
    }
    return scale;
}

INLINE v16 magnitude(v16 x) { return (v16)((i16)x & 0x7FFFFFFF); }

static void adam8(size_t n, const swk_adam *a, const swk_code_map *first_map, const swk_code_map *second_map, const float *gradient,
                  float *value, uint8_t *first, float *first_scales, uint8_t *second, float *second_scales) {
    adam_factors f = factors(a);
    for (size_t begin = 0, block = 0; begin < n; begin += SWK_CODE_BLOCK, block++) {
        size_t count = n - begin < SWK_CODE_BLOCK ? n - begin : SWK_CODE_BLOCK;
        float firsts[SWK_CODE_BLOCK], seconds[SWK_CODE_BLOCK];
        for (size_t i = 0; i < count; i++) firsts[i] = first_map->values[first[begin + i]];
        for (size_t i = 0; i < count; i++) seconds[i] = second_map->values[second[begin + i]];
        v16 first_scale = all(first_scales[block]), second_scale = all(second_scales[block]);
        v16 largest_first = all(0.0f), largest_second = all(0.0f);
        EACH16(count, v16 m = LOAD(firsts) * first_scale; v16 s = LOAD(seconds) * second_scale;
               v16 changed = adam16(a, f, LOAD(gradient + begin), LOAD(value + begin), &m, &s);
               STORE(firsts, m);
               STORE(seconds, s);
               STORE(value + begin, changed);
               largest_first = larger(magnitude(m), largest_first);
               largest_second = larger(s, largest_second););
        first_scales[block] = encode(first_map, count, firsts, largest_first, 0, first + begin);
        second_scales[block] = encode(second_map, count, seconds, largest_second, 1, second + begin);
    }
}

// Lion: decoupled weight decay, and a step of the learning rate against the sign of a mean of momentum and gradient. The sign of
// 0 is 0.
static void lion(size_t n, const swk_adam *a, const float *gradient, float *value, float *momentum) {
    float decay = 1.0f - a->learning_rate * a->weight_decay;
    v16 step = all(a->learning_rate), none = all(0.0f);
    EACH16(n, v16 g = LOAD(gradient) * all(a->gradient_scale);
           v16 mean = LOAD(momentum) * all(a->beta1) + g * all(1.0f - a->beta1);
           v16 change = choose(mean > none, -step, choose(mean < none, step, none));
           STORE(momentum, LOAD(momentum) * all(a->beta2) + g * all(1.0f - a->beta2));
           STORE(value, LOAD(value) * all(decay) + change););
}

// ADAFACTOR

static void square_sums(size_t rows, size_t width, float scale, float epsilon, const float *gradient, float *row_sums, float *column_sums) {
    for (size_t r = 0; r < rows; r++) {
        const float *row = gradient + r * width;
        double total = 0;
        for (size_t begin = 0; begin < width; begin += SUM_BLOCK) {
            size_t count = width - begin < SUM_BLOCK ? width - begin : SUM_BLOCK;
            v16 acc = all(0.0f);
            EACH16(count, v16 g = LOAD(row + begin) * all(scale);
                   v16 square = g * g + all(epsilon);
                   STORE(column_sums + begin, LOAD(column_sums + begin) + square);
                   acc += whole_ ? square : first_lanes(square, width_););
            total += (double)sum_of(acc);
        }
        row_sums[r] = (float)total;
    }
}

static double sum_of_product_squares(size_t n, const float *a, const float *b) {
    BLOCKED_SUM(n, (LOAD(a + begin) * LOAD(b + begin)) * (LOAD(a + begin) * LOAD(b + begin)));
}

static void decay_and_subtract(size_t n, float decay, float factor, const float *a, const float *b, float *value) {
    EACH16(n, STORE(value, LOAD(value) * all(decay) - all(factor) * LOAD(a) * LOAD(b)););
}
