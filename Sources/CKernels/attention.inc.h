// Attention of one segment and one key/value head, causal unless the segment has sees_all. It works in blocks of queries, so that
// the workspace is linear in the number of keys.
//
//     forward:   S = QKᵀ, P = softmax(scale S), O = PV
//     backward:  dV = PᵀdO, dP = dOVᵀ, dS = P (dP - rowsum(dO O)) scale, dQ = dS K, dK = dSᵀQ
//
// The backward pass recomputes P from the saved log-sum-exp (Dao et al. 2022). With dropout, O and dV use the dropped P, and dP
// is dropped in the same way. With a window, a cap or ALiBi (Press et al. 2022), scores_of computes S from QKᵀ.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are loops over the channels of a head or the scores of a query. READ(row, index)
// is LOAD for a row of keys or values with floats or, if the constant is_narrow is set, with bfloat16 numbers (WIDE). QUERY_BLOCK
// queries share packed keys. ROWS_AT_ONCE rows of keys are read for one head before the next head.

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

// Sixteen elements of a row of keys or values: floats, or the upper halves of floats in a bfloat16 cache.
typedef uint16_t h16 __attribute__((vector_size(32)));
typedef uint16_t h16u __attribute__((vector_size(32), aligned(2), may_alias));
INLINE v16 widened(h16 x) { return (v16)(__builtin_convertvector(x, u16v) << 16); }
INLINE v16 widened_part(const uint16_t *p, size_t n) {
    h16 x = {0};
    memcpy(&x, p, n * sizeof *p);
    return widened(x);
}
#define WIDE(p) (whole_ ? widened(*(const h16u *)((p) + at)) : widened_part((p) + at, width_))
#define READ(row, index) (is_narrow ? WIDE((const uint16_t *)(row) + (index)) : LOAD((const float *)(row) + (index)))

// Rows of keys and values are read sequentially for all heads: one head's part of a row is only a few cache lines, and accesses
// that are a model's width apart are slow.
#define ROWS_AT_ONCE 8
INLINE void fetch(const char *row, size_t bytes) {
    for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b, 0, 2);
}

// One query of a segment with several key/value heads, without packing. Four keys at a time share the horizontal reduction. The
// workspace holds the scores [heads, ld].
INLINE void attention_one(const swk_attention *a, const swk_segment *s, size_t first, size_t kv_heads, size_t j, float *workspace,
                          const int is_narrow) {
    size_t group = a->heads / a->kv_heads, dim = a->dim, row = s->query_begin + j, heads = kv_heads * group;
    key_span span = span_of(a, s, j);
    size_t total = span.to, own = total - s->prefix_count, ld = padded(total);
    size_t hidden = span.from, from[2] = {hidden < s->prefix_count ? hidden : s->prefix_count,
                                                 hidden > s->prefix_count ? hidden - s->prefix_count : 0};
    const size_t size = is_narrow ? sizeof(uint16_t) : sizeof(float), key_step = a->key_stride * size, value_step = a->value_stride * size;
    const char *all_keys = is_narrow ? (const char *)a->narrow_keys : (const char *)a->keys;
    const char *all_values = is_narrow ? (const char *)a->narrow_values : (const char *)a->values;
    const float *queries = a->queries + row * a->query_stride + first * group * dim;
    float *out = a->out + row * a->out_stride + first * group * dim;
    for (size_t range = 0; range < 2; range++) {
        size_t begin = range ? s->key_begin : s->prefix_begin, count = range ? own : s->prefix_count;
        const char *keys = all_keys + begin * key_step + first * dim * size;
        for (size_t block = from[range]; block < count; block += ROWS_AT_ONCE) {
            size_t end = count - block < ROWS_AT_ONCE ? count : block + ROWS_AT_ONCE;
            for (size_t h = 0; h < heads; h++) {
                const float *query = queries + h * dim;
                const char *part = keys + h / group * dim * size;
                float *p = workspace + h * ld + (range ? s->prefix_count : 0);
                for (size_t t = end; h % group == 0 && t < end + ROWS_AT_ONCE && t < count; t++) fetch(part + t * key_step, dim * size);
                size_t t = block;
                for (; t + FEW_N <= end; t += FEW_N) {
                    v16 acc[FEW_N] = {0};
                    const char *key = part + t * key_step;
                    EACH16(dim, v16 q = LOAD(query);
                           _Pragma("unroll") for (int c = 0; c < FEW_N; c++) acc[c] += q * READ(key + c * key_step, 0););
                    few_sums(acc, p + t);
                }
                for (; t < end; t++) {
                    v16 acc = {0};
                    EACH16(dim, acc += LOAD(query) * READ(part + t * key_step, 0););
                    p[t] = sum_of(acc);
                }
            }
        }
    }
    for (size_t h = 0; h < heads; h++) {
        float *p = workspace + h * ld;
        add_relative_one(a, s, j, first * group + h, hidden, total, p);
        float factor = scores_of(a, first * group + h, j, total, hidden, total - hidden, p + hidden), peak = row_max(total - hidden, p + hidden);
        float sum = exp_row(total - hidden, factor, peak, p + hidden, p + hidden);
        if (a->log_sum_exp) a->log_sum_exp[row * a->heads + first * group + h] = peak * factor + logf(sum);
        scale(total - hidden, 1.0f / sum, p + hidden, p + hidden);
        if (a->dropout.threshold) dropout(total, a->dropout.rows[row] * a->heads + first * group + h, &a->dropout, p, p);
    }
    memset(out, 0, heads * dim * sizeof(float));
    for (size_t range = 0; range < 2; range++) {
        size_t begin = range ? s->key_begin : s->prefix_begin, count = range ? own : s->prefix_count;
        const char *values = all_values + begin * value_step + first * dim * size;
        for (size_t block = from[range]; block < count; block += ROWS_AT_ONCE) {
            size_t end = count - block < ROWS_AT_ONCE ? count : block + ROWS_AT_ONCE;
            for (size_t h = 0; h < heads; h++) {
                const char *part = values + h / group * dim * size;
                const float *p = workspace + h * ld + (range ? s->prefix_count : 0);
                for (size_t t = end; h % group == 0 && t < end + ROWS_AT_ONCE && t < count; t++) fetch(part + t * value_step, dim * size);
                if (is_narrow)
                    EACH16(dim, v16 acc = LOAD(out + h * dim);
                           for (size_t t = block; t < end; t++) acc += all(p[t]) * READ(part + t * value_step, 0);
                           STORE(out + h * dim, acc););
                else
                    product(1, dim, end - block, p + block, ld, 1, (const float *)(part + block * value_step), a->value_stride,
                            out + h * dim, a->out_stride, 1);
            }
        }
    }
}

static void attention_few(const swk_attention *a, const swk_segment *s, size_t first, size_t kv_heads, float *workspace) {
    size_t group = a->heads / a->kv_heads, most = QUERY_BLOCK / group ? QUERY_BLOCK / group : 1;
    for (size_t j = 0; j < s->query_count; j++)
        for (size_t h = 0; h < kv_heads; h += most) {
            size_t count = kv_heads - h < most ? kv_heads - h : most;
            if (a->narrow_keys) attention_one(a, s, first + h, count, j, workspace, 1);
            else attention_one(a, s, first + h, count, j, workspace, 0);
        }
}

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
