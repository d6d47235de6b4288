// Attention of one segment and one key/value head, causal unless the segment has sees_all. It works in blocks of queries, so that
// the workspace is linear in the number of keys.
//
//     forward:   S = QKᵀ, P = softmax(scale S), O = PV
//     backward:  dV = PᵀdO, dP = dOVᵀ, dS = P (dP - rowsum(dO O)) scale, dQ = dS K, dK = dSᵀQ
//
// The backward pass recomputes P from the saved log-sum-exp (Dao et al. 2022). With dropout, O and dV use the dropped P, and dP
// is dropped in the same way. With a window, a cap or ALiBi (Press et al. 2022), scores_of computes S from QKᵀ.
//
// decoding.inc.h has attention of few queries without packing, prefix.inc.h that of several sequences behind one prompt.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are loops over the channels of a head or the scores of a query. QUERY_BLOCK queries
// share packed keys.

#define QUERY_BLOCK 48

INLINE size_t padded(size_t keys) { return (keys + 63) / 64 * 64; }

// Transposes rows [count, dim], `stride` apart, to columns of out [dim, ld], starting at column `at`.
static void pack_columns(size_t count, size_t dim, const float *rows, size_t stride, float *out, size_t ld, size_t at) {
    for (size_t i = 0; i < count; i += 16) {
        size_t n = count - i < 16 ? count - i : 16;
        for (size_t d = 0; d < dim; d += 16) {
            size_t width = dim - d < 16 ? dim - d : 16;
            v16 block[16];
            load_columns(width, n, rows + i * stride + d, 1, stride, block);
            for (size_t k = 0; k < width; k++) store_first(out + (d + k) * ld + at + i, block[k], n);
        }
    }
}

typedef struct { size_t prefix, own, total, ld; } key_ranges;

INLINE key_ranges ranges_of(const swk_segment *s) {
    key_ranges k;
    k.prefix = s->prefix_count;
    k.own = s->key_first - s->key_begin + s->query_count;
    k.total = k.prefix + k.own;
    k.ld = padded(k.total);
    return k;
}

// The range of keys that query j of a segment attends to, numbered consecutively over the prefix and the segment's own keys.
typedef struct { size_t from, to; } key_span;

INLINE key_span span_of(const swk_attention *a, const swk_segment *s, size_t j) {
    size_t own = s->prefix_count + s->key_first - s->key_begin + j; // the position of the query itself
    key_span span = {0, own + 1};
    size_t most = a->window;
    if (s->sees_all) {
        span.to = s->prefix_count + s->key_first - s->key_begin + s->query_count;
        most = a->neighbourhood;
        if (most && own + most < span.to) span.to = own + most;
    }
    if (most && own + 1 > most) span.from = own + 1 - most;
    return span;
}

// Turns the products p of query j with the keys from `from` to `visible` into scores if these are more than scaled products.
// Returns the remaining factor of the scores.
static float scores_of(const swk_attention *a, size_t head, size_t j, size_t from, size_t visible, float *p) {
    if (a->cap) {
        float inner = a->scale / a->cap;
        EACH16(visible - from, STORE(p + from, all(a->cap) * vtanh(LOAD(p + from) * all(inner))););
        return 1.0f;
    }
    if (a->slopes) {
        float slope = a->slopes[head];
        for (size_t t = from; t < visible; t++) p[t] = a->scale * p[t] - slope * (float)(visible - 1 - t);
        return 1.0f;
    }
    if (a->relative_bias) {
        const float *bias = a->relative_bias + head * (2 * a->relative_reach + 1) + a->relative_reach - j;
        EACH16(visible - from, STORE(p + from, all(a->scale) * LOAD(p + from) + LOAD(bias + from)););
        return 1.0f;
    }
    return a->scale;
}

#include "relative.inc.h"

#include "decoding.inc.h"
#include "prefix.inc.h"

static void attention(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace) {
    size_t group = a->heads / a->kv_heads, dim = a->dim;
    int is_relative = a->relative_keys || a->relative_queries;
    if (s->query_count * group <= SWK_FEW_QUERIES) return attention_few(a, s, kv_head, 1, workspace);
    key_ranges k = ranges_of(s);
    float *keys = workspace, *scores = keys + dim * k.ld;
    pack_columns(k.prefix, dim, a->keys + s->prefix_begin * a->key_stride + kv_head * dim, a->key_stride, keys, k.ld, 0);
    pack_columns(k.own, dim, a->keys + s->key_begin * a->key_stride + kv_head * dim, a->key_stride, keys, k.ld, k.prefix);
    const float *prefix_values = a->values + s->prefix_begin * a->value_stride + kv_head * dim;
    const float *own_values = a->values + s->key_begin * a->value_stride + kv_head * dim;
    relative_tables relative = {0};
    if (is_relative) relative = relative_tables_of(a, s, kv_head, scores + QUERY_BLOCK * k.ld);
    for (size_t g = 0; g < group; g++) {
        size_t head = kv_head * group + g;
        for (size_t j = 0; j < s->query_count; j += QUERY_BLOCK) {
            size_t rows = s->query_count - j < QUERY_BLOCK ? s->query_count - j : QUERY_BLOCK;
            size_t seen = span_of(a, s, j + rows - 1).to; // by the last query of the block
            size_t low = span_of(a, s, j).from / 16 * 16, low_own = low > k.prefix ? low : k.prefix; // the block's first key
            const float *queries = a->queries + (s->query_begin + j) * a->query_stride + head * dim;
            product(rows, seen - low, dim, queries, a->query_stride, 1, keys + low, k.ld, scores + low, k.ld, 0);
            if (is_relative) add_relative(a, &relative, queries, j, rows, scores, k.ld);
            for (size_t r = 0; r < rows; r++) {
                key_span span = span_of(a, s, j + r);
                size_t visible = span.to, from = span.from, n = visible - from;
                float *p = scores + r * k.ld, factor = scores_of(a, head, j + r, from, visible, p), peak = row_max(n, p + from);
                float sum = exp_row(n, factor, peak, p + from, p + from);
                if (a->log_sum_exp)
                    a->log_sum_exp[(s->query_begin + j + r) * a->heads + head] = peak * factor + logf(sum);
                scale(n, 1.0f / sum, p + from, p + from);
                memset(p + low, 0, (from - low) * sizeof(float));
                if (a->dropout.threshold)
                    dropout(visible, a->dropout.rows[s->query_begin + j + r] * a->heads + head, &a->dropout, p, p);
                memset(p + visible, 0, (seen - visible) * sizeof(float));
            }
            float *out = a->out + (s->query_begin + j) * a->out_stride + head * dim;
            size_t low_prefix = low < k.prefix ? low : k.prefix;
            product(rows, dim, k.prefix - low_prefix, scores + low_prefix, k.ld, 1, prefix_values + low_prefix * a->value_stride,
                    a->value_stride, out, a->out_stride, 0);
            product(rows, dim, seen - low_own, scores + low_own, k.ld, 1, own_values + (low_own - k.prefix) * a->value_stride,
                    a->value_stride, out, a->out_stride, 1);
        }
    }
}

static void attention_backward(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace) {
    size_t group = a->heads / a->kv_heads, dim = a->dim;
    key_ranges k = ranges_of(s);
    float *keys = workspace, *values = keys + dim * k.ld, *p = values + dim * k.ld, *ds = p + QUERY_BLOCK * k.ld;
    const float *prefix_keys = a->keys + s->prefix_begin * a->key_stride + kv_head * dim;
    const float *own_keys = a->keys + s->key_begin * a->key_stride + kv_head * dim;
    pack_columns(k.prefix, dim, prefix_keys, a->key_stride, keys, k.ld, 0);
    pack_columns(k.own, dim, own_keys, a->key_stride, keys, k.ld, k.prefix);
    pack_columns(k.prefix, dim, a->values + s->prefix_begin * a->value_stride + kv_head * dim, a->value_stride, values,
                 k.ld, 0);
    pack_columns(k.own, dim, a->values + s->key_begin * a->value_stride + kv_head * dim, a->value_stride, values, k.ld,
                 k.prefix);
    size_t kv_width = a->kv_heads * dim, width = a->heads * dim;
    float *prefix_dk = a->d_keys + s->prefix_begin * kv_width + kv_head * dim;
    float *own_dk = a->d_keys + s->key_begin * kv_width + kv_head * dim;
    float *prefix_dv = a->d_values + s->prefix_begin * kv_width + kv_head * dim;
    float *own_dv = a->d_values + s->key_begin * kv_width + kv_head * dim;
    for (size_t g = 0; g < group; g++) {
        size_t head = kv_head * group + g;
        for (size_t j = 0; j < s->query_count; j += QUERY_BLOCK) {
            size_t rows = s->query_count - j < QUERY_BLOCK ? s->query_count - j : QUERY_BLOCK;
            size_t seen = span_of(a, s, j + rows - 1).to;
            size_t low = span_of(a, s, j).from / 16 * 16; // the first key of the block
            size_t low_prefix = low < k.prefix ? low : k.prefix, prefix = k.prefix - low_prefix;
            size_t low_own = low > k.prefix ? low : k.prefix, own = seen - low_own, skipped = low_own - k.prefix;
            size_t first = s->query_begin + j;
            const float *queries = a->queries + first * a->query_stride + head * dim;
            const float *d_out = a->d_out + first * a->out_stride + head * dim;
            product(rows, seen - low, dim, queries, a->query_stride, 1, keys + low, k.ld, p + low, k.ld, 0);
            product(rows, seen - low, dim, d_out, a->out_stride, 1, values + low, k.ld, ds + low, k.ld, 0);
            for (size_t r = 0; r < rows; r++) {
                key_span span = span_of(a, s, j + r);
                size_t visible = span.to, from = span.from, n = visible - from;
                const float *o = a->out + (first + r) * a->out_stride + head * dim, *d = d_out + r * a->out_stride;
                v16 acc = {0};
                EACH16(dim, acc += LOAD(o) * LOAD(d););
                float delta = sum_of(acc), lse = a->log_sum_exp[(first + r) * a->heads + head];
                float *pr = p + r * k.ld, *dr = ds + r * k.ld, factor = scores_of(a, head, j + r, from, visible, pr);
                memset(pr + low, 0, (from - low) * sizeof(float));
                memset(dr + low, 0, (from - low) * sizeof(float));
                uint64_t place = a->dropout.threshold ? a->dropout.rows[first + r] * a->heads + head : 0;
                if (a->dropout.threshold) dropout(visible, place, &a->dropout, dr, dr);
                float *pw = pr + from, *dw = dr + from, inverse = a->cap ? 1.0f / a->cap : 0.0f; // within the window
                if (a->cap) // the derivative of the cap is 1 - tanh², and the scores are cap * tanh
                    EACH16(n, v16 t = LOAD(pw) * all(inverse); v16 e = vexp(LOAD(pw) - all(lse)); STORE(pw, e);
                           STORE(dw, e * (LOAD(dw) - all(delta)) * all(a->scale) * (all(1.0f) - t * t)););
                else
                    EACH16(n, v16 e = vexp(LOAD(pw) * all(factor) - all(lse)); STORE(pw, e);
                           STORE(dw, e * (LOAD(dw) - all(delta)) * all(a->scale)););
                if (a->dropout.threshold) dropout(visible, place, &a->dropout, pr, pr);
                memset(pr + visible, 0, (seen - visible) * sizeof(float));
                memset(dr + visible, 0, (seen - visible) * sizeof(float));
            }
            float *dq = a->d_queries + first * width + head * dim;
            product(rows, dim, prefix, ds + low_prefix, k.ld, 1, prefix_keys + low_prefix * a->key_stride, a->key_stride, dq, width, 0);
            product(rows, dim, own, ds + low_own, k.ld, 1, own_keys + skipped * a->key_stride, a->key_stride, dq, width, 1);
            if (prefix) {
                product(prefix, dim, rows, ds + low_prefix, 1, k.ld, queries, a->query_stride, prefix_dk + low_prefix * kv_width, kv_width, 1);
                product(prefix, dim, rows, p + low_prefix, 1, k.ld, d_out, a->out_stride, prefix_dv + low_prefix * kv_width, kv_width, 1);
            }
            product(own, dim, rows, ds + low_own, 1, k.ld, queries, a->query_stride, own_dk + skipped * kv_width, kv_width, 1);
            product(own, dim, rows, p + low_own, 1, k.ld, d_out, a->out_stride, own_dv + skipped * kv_width, kv_width, 1);
        }
    }
}
