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
                float *p = scores + r * k.ld, factor = scores_of(a, head, j + r, visible, from, n, p + from), peak = row_max(n, p + from);
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
                const float *o = a->out + (first + r) * a->out_stride + head * dim, *d = d_out + r * a->out_stride;
                gradient_row of = {head, j + r, first + r, low, span.from, span.to, seen, span.to, delta_of(dim, o, d, 0)};
                gradients_of(a, &of, p + r * k.ld + low, ds + r * k.ld + low, 0);
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
