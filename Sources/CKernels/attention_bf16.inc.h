// Attention with products of bfloat16 numbers and sums in float, for processors that have instructions for them: the segments and
// formulas of attention.inc.h.
//
// Queries, keys, values, d_out, the weights P and their gradients dS are rounded to bfloat16 where they are factors of a product. The
// softmax, the log-sum-exp and rowsum(dO O) are floats. A block of ROUNDED_QUERIES queries passes over tiles of keys, so that its
// scores stay in the second-level cache for any number of keys. In the forward pass the maximum and the sum of a query are corrected
// from tile to tile, and its output is divided by the sum at the end (Dao et al. 2022).
//
// Macros: EACH16, LOAD and STORE are in vector.inc.h, NATIVE in pairs.inc.h, PANEL in panels.inc.h. FORWARD_KEYS and BACKWARD_KEYS are
// the keys of a tile. SCORE_ROW(KEYS) is the distance of the rows of its scores: not a power of two, because these share cache sets.

#define ROUNDED_QUERIES 64
#define FORWARD_KEYS 512
#define BACKWARD_KEYS 256
#define SCORE_ROW(KEYS) (KEYS + 16)

typedef void (*bf16_multiply)(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row,
                              int accumulate);

INLINE size_t lesser(size_t a, size_t b) { return a < b ? a : b; }
INLINE size_t greater(size_t a, size_t b) { return a > b ? a : b; }
INLINE size_t pairs_in(size_t n) { return (n + 1) / 2; }
INLINE size_t whole_vectors(size_t n) { return (n + 15) / 16 * 16; }

// The next `count` numbers of 4 bytes of the workspace.
INLINE void *take(float **workspace, size_t count) {
    float *p = *workspace;
    *workspace += whole_vectors(count);
    return p;
}

// Row t of keys or values, whose two ranges start at `prefix` and `own`.
INLINE const float *row_at(const key_ranges *k, const float *prefix, const float *own, size_t stride, size_t t) {
    return t < k->prefix ? prefix + t * stride : own + (t - k->prefix) * stride;
}

// Packs the keys or values of a segment and one head from `all`, those of all sequences. `columns` (or NULL): panels of 64 keys, for
// products over the channels. `rows` (or NULL): panels of 64 channels, for products over the keys. `copy` has room for 64 rows.
static NATIVE_TARGET void pack_keys(const swk_segment *s, const key_ranges *k, size_t dim, const float *all, size_t stride,
                                    uint32_t *columns, uint32_t *rows, float *copy) {
    const float *prefix = all + s->prefix_begin * stride, *own = all + s->key_begin * stride;
    for (size_t t = 0; t < k->total; t += PANEL) {
        size_t count = lesser(k->total - t, PANEL), step = stride;
        const float *from = row_at(k, prefix, own, stride, t);
        if (t < k->prefix && t + count > k->prefix) { // the prefix ends within the panel
            for (size_t i = 0; i < count; i++) memcpy(copy + i * dim, row_at(k, prefix, own, stride, t + i), dim * sizeof(float));
            from = copy, step = dim;
        }
        for (size_t i = t + PANEL; i < t + 2 * PANEL && i < k->total; i++)
            fetch((const char *)row_at(k, prefix, own, stride, i), dim * sizeof(float));
        if (columns) bf16_pack_native(count, dim, from, 1, step, columns + t * pairs_in(dim));
        for (size_t d = 0; rows && d < dim; d += PANEL) {
            size_t width = lesser(dim - d, PANEL);
            bf16_pack_native(width, count, from + d, step, 1, rows + d * (k->ld / 2) + t / 2 * whole_vectors(width));
        }
    }
}

// C[m, dim] (+)= A[m, count] · the rows from pack_keys, from row t, an even number.
static void times_rows(bf16_multiply multiply, size_t m, size_t dim, size_t count, const uint32_t *a, const uint32_t *rows, size_t ld,
                       size_t t, float *c, size_t c_row, int accumulate) {
    for (size_t d = 0; d < dim; d += PANEL) {
        size_t width = lesser(dim - d, PANEL);
        multiply(m, width, count, a, rows + d * (ld / 2) + t / 2 * whole_vectors(width), c + d, c_row, accumulate);
    }
}

// The state of one query between tiles: the maximum of its products, the remaining factor of its scores, and the sum of its weights.
typedef struct { float peak, factor, sum; } running_softmax;

// Replaces p, products of a query with keys [begin, end), by weights exp(score - maximum), 0 outside [from, to), which is what the
// query sees. Returns the factor that corrects what was summed with the maximum of earlier tiles.
static float weights_of(const swk_attention *a, size_t head, size_t j, size_t row, size_t last, size_t begin, size_t from, size_t to,
                        size_t end, float *p, running_softmax *r) {
    size_t n = to - from;
    float *x = p + (from - begin), before = r->peak;
    r->factor = scores_of(a, head, j, last, from, n, x);
    float peak = row_max(n, x), base2 = r->factor * LOG2E;
    if (before > peak) peak = before;
    v16 acc = {0};
    EACH16(n, v16 e = power_of_two((LOAD(x) - all(peak)) * all(base2)); STORE(x, e); acc += whole_ ? e : first_lanes(e, width_););
    float correction = peak > before ? power_of_two(all((before - peak) * base2))[0] : 1.0f;
    r->peak = peak;
    r->sum = r->sum * correction + sum_of(acc);
    memset(p, 0, (from - begin) * sizeof(float));
    if (a->dropout.threshold) dropout_from(begin, to - begin, a->dropout.rows[row] * a->heads + head, &a->dropout, p, p);
    memset(x + n, 0, (end - to) * sizeof(float));
    return correction;
}

NATIVE void rounded_attention(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace, bf16_multiply multiply) {
    size_t group = a->heads / a->kv_heads, dim = a->dim, half = pairs_in(dim);
    if (s->query_count * group <= SWK_FEW_QUERIES) return attention_few(a, s, kv_head, 1, workspace);
    key_ranges k = ranges_of(s);
    workspace += (64 - (uintptr_t)workspace % 64) % 64 / sizeof(float);
    uint32_t *keys = take(&workspace, k.ld * half), *values = take(&workspace, k.ld / 2 * whole_vectors(dim));
    uint32_t *queries = take(&workspace, ROUNDED_QUERIES * half), *weights = take(&workspace, ROUNDED_QUERIES * FORWARD_KEYS / 2);
    float *scores = take(&workspace, ROUNDED_QUERIES * greater(SCORE_ROW(FORWARD_KEYS), dim));
    running_softmax state[ROUNDED_QUERIES];
    pack_keys(s, &k, dim, a->keys + kv_head * dim, a->key_stride, keys, NULL, scores);
    pack_keys(s, &k, dim, a->values + kv_head * dim, a->value_stride, NULL, values, scores);
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++) {
        for (size_t j = 0; j < s->query_count; j += ROUNDED_QUERIES) {
            size_t rows = lesser(s->query_count - j, ROUNDED_QUERIES), row = s->query_begin + j;
            size_t seen = span_of(a, s, j + rows - 1).to, low = span_of(a, s, j).from / PANEL * PANEL; // by the block
            float *out = a->out + row * a->out_stride + head * dim;
            bf16_narrow_native(rows, dim, a->queries + row * a->query_stride + head * dim, a->query_stride, 1, queries);
            for (size_t r = 0; r < rows; r++) state[r] = (running_softmax){-3.40282347e38f, 1.0f, 0.0f};
            for (size_t t = low; t < seen; t += FORWARD_KEYS) {
                size_t count = lesser(seen - t, FORWARD_KEYS), whole = lesser(padded(count), k.total - t); // whole panels
                multiply(rows, whole, dim, queries, keys + t * half, scores, SCORE_ROW(FORWARD_KEYS), 0);
                for (size_t r = 0; r < rows; r++) {
                    key_span span = span_of(a, s, j + r);
                    size_t from = greater(span.from, t), to = lesser(span.to, t + count);
                    float *p = scores + r * SCORE_ROW(FORWARD_KEYS), *o = out + r * a->out_stride;
                    if (from >= to) {
                        memset(p, 0, count * sizeof(float));
                        continue;
                    }
                    float correction = weights_of(a, head, j + r, row + r, span.to, t, from, to, t + count, p, state + r);
                    if (t > low && correction != 1.0f) scale(dim, correction, o, o);
                }
                bf16_narrow_native(rows, count, scores, SCORE_ROW(FORWARD_KEYS), 1, weights);
                times_rows(multiply, rows, dim, count, weights, values, k.ld, t, out, a->out_stride, t > low);
            }
            for (size_t r = 0; r < rows; r++) {
                scale(dim, 1.0f / state[r].sum, out + r * a->out_stride, out + r * a->out_stride);
                if (a->log_sum_exp) a->log_sum_exp[(row + r) * a->heads + head] = state[r].peak * state[r].factor + logf(state[r].sum);
            }
        }
    }
}

// Adds Aᵀ · B to the gradients of keys [t, t + count): A, weights or their gradients [rows, count], are rounded and transposed to
// `narrow`; B are panels [rows, 64 channels].
static NATIVE_TARGET void add_to_keys(bf16_multiply multiply, const key_ranges *k, size_t dim, size_t t, size_t count, size_t rows,
                                      const float *a, const uint32_t *b, uint32_t *narrow, float *prefix, float *own, size_t c_row) {
    size_t before = t < k->prefix ? lesser(count, k->prefix - t) : 0, pairs = pairs_in(rows); // keys of the prefix
    bf16_narrow_native(count, rows, a, 1, SCORE_ROW(BACKWARD_KEYS), narrow);
    for (size_t d = 0; d < dim; d += PANEL, b += PANEL * pairs) {
        size_t width = lesser(dim - d, PANEL);
        if (before) multiply(before, width, rows, narrow, b, prefix + t * c_row + d, c_row, 1);
        if (count > before)
            multiply(count - before, width, rows, narrow + before * pairs, b, own + (t + before - k->prefix) * c_row + d, c_row, 1);
    }
}

NATIVE void rounded_attention_backward(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace,
                                       bf16_multiply multiply) {
    size_t group = a->heads / a->kv_heads, dim = a->dim, half = pairs_in(dim), wide = whole_vectors(dim);
    if (s->query_count * group <= SWK_FEW_QUERIES) return attention_backward(a, s, kv_head, workspace); // like their forward pass
    key_ranges k = ranges_of(s);
    workspace += (64 - (uintptr_t)workspace % 64) % 64 / sizeof(float);
    uint32_t *keys = take(&workspace, k.ld * half), *values = take(&workspace, k.ld * half), *key_rows = take(&workspace, k.ld / 2 * wide);
    uint32_t *q = take(&workspace, ROUNDED_QUERIES * half), *q_rows = take(&workspace, ROUNDED_QUERIES / 2 * wide);
    uint32_t *g = take(&workspace, ROUNDED_QUERIES * half), *g_rows = take(&workspace, ROUNDED_QUERIES / 2 * wide); // d_out
    uint32_t *narrow = take(&workspace, ROUNDED_QUERIES / 2 * (BACKWARD_KEYS + SWK_ROW_BLOCK));
    float *p = take(&workspace, ROUNDED_QUERIES * greater(SCORE_ROW(BACKWARD_KEYS), dim));
    float *ds = take(&workspace, ROUNDED_QUERIES * SCORE_ROW(BACKWARD_KEYS)), deltas[ROUNDED_QUERIES];
    pack_keys(s, &k, dim, a->keys + kv_head * dim, a->key_stride, keys, key_rows, p);
    pack_keys(s, &k, dim, a->values + kv_head * dim, a->value_stride, values, NULL, p);
    size_t kv_width = a->kv_heads * dim, width = a->heads * dim;
    float *prefix_dk = a->d_keys + s->prefix_begin * kv_width + kv_head * dim, *own_dk = a->d_keys + s->key_begin * kv_width + kv_head * dim;
    float *prefix_dv = a->d_values + s->prefix_begin * kv_width + kv_head * dim;
    float *own_dv = a->d_values + s->key_begin * kv_width + kv_head * dim;
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++) {
        for (size_t j = 0; j < s->query_count; j += ROUNDED_QUERIES) {
            size_t rows = lesser(s->query_count - j, ROUNDED_QUERIES), row = s->query_begin + j;
            size_t seen = span_of(a, s, j + rows - 1).to, low = span_of(a, s, j).from / PANEL * PANEL;
            const float *queries = a->queries + row * a->query_stride + head * dim, *out = a->out + row * a->out_stride + head * dim;
            const float *d_out = a->d_out + row * a->out_stride + head * dim;
            bf16_narrow_native(rows, dim, queries, a->query_stride, 1, q);
            bf16_narrow_native(rows, dim, d_out, a->out_stride, 1, g);
            for (size_t d = 0; d < dim; d += PANEL) {
                bf16_pack_native(lesser(dim - d, PANEL), rows, queries + d, a->query_stride, 1, q_rows + d * pairs_in(rows));
                bf16_pack_native(lesser(dim - d, PANEL), rows, d_out + d, a->out_stride, 1, g_rows + d * pairs_in(rows));
            }
            for (size_t r = 0; r < rows; r++) deltas[r] = delta_of(dim, out + r * a->out_stride, d_out + r * a->out_stride, 1);
            for (size_t t = low; t < seen; t += BACKWARD_KEYS) {
                size_t count = lesser(seen - t, BACKWARD_KEYS), whole = lesser(padded(count), k.total - t); // whole panels
                multiply(rows, whole, dim, q, keys + t * half, p, SCORE_ROW(BACKWARD_KEYS), 0);
                multiply(rows, whole, dim, g, values + t * half, ds, SCORE_ROW(BACKWARD_KEYS), 0);
                for (size_t r = 0; r < rows; r++) {
                    key_span span = span_of(a, s, j + r);
                    size_t from = greater(span.from, t), to = lesser(span.to, t + count), at = r * SCORE_ROW(BACKWARD_KEYS);
                    if (from > to) from = to = t; // none of the tile
                    gradient_row of = {head, j + r, row + r, t, from, to, t + count, span.to, deltas[r]};
                    gradients_of(a, &of, p + at, ds + at, 1);
                }
                add_to_keys(multiply, &k, dim, t, count, rows, p, g_rows, narrow, prefix_dv, own_dv, kv_width);
                add_to_keys(multiply, &k, dim, t, count, rows, ds, q_rows, narrow, prefix_dk, own_dk, kv_width);
                bf16_narrow_native(rows, count, ds, SCORE_ROW(BACKWARD_KEYS), 1, narrow);
                times_rows(multiply, rows, dim, count, narrow, key_rows, k.ld, t, a->d_queries + row * width + head * dim, width, t > low);
            }
        }
    }
}

// The two kernels with the product PRODUCT.
#define ROUNDED_ATTENTION(NAME, PRODUCT)                                                                            \
    static void NAME(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace) {              \
        rounded_attention(a, s, kv_head, workspace, PRODUCT);                                                       \
    }                                                                                                               \
    static void NAME##_backward(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace) {   \
        rounded_attention_backward(a, s, kv_head, workspace, PRODUCT);                                              \
    }
ROUNDED_ATTENTION(attention_bf16, bf16_product_native)
#ifdef SWK_TILES_TABLE
ROUNDED_ATTENTION(attention_bf16_tiles, bf16_product_tiles)
#endif
