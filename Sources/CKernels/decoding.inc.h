// Attention of few queries of one segment, without packing, as in decoding. Keys and values may be floats or bfloat16 numbers.
//
// Macros: READ(row, index) is LOAD for a row of keys or values with floats or, if the constant is_narrow is set, with bfloat16
// numbers (WIDE, conversion.inc.h). ROWS_AT_ONCE rows of keys are read for one head before the next head.

#define READ(row, index) (is_narrow ? WIDE((const uint16_t *)(row) + (index)) : LOAD((const float *)(row) + (index)))

// Rows of keys and values are read sequentially for all heads: one head's part of a row is only a few cache lines, and accesses
// that are a model's width apart are slow.
#define ROWS_AT_ONCE 8
INLINE void fetch(const char *row, size_t bytes) {
    for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b, 0, 2);
}

// The query of one row, several of its key/value heads, and the scores of its query heads: those of key/value head h begin at
// scores + h * step and are ld apart.
typedef struct {
    size_t row, first, kv_heads, step, ld;
    float *scores;
} head_scores;

// Writes the products of a query with the key rows [from, to) behind row `begin` to its scores from index `place`. Four keys at a time
// share the horizontal reduction.
INLINE void products_of(const swk_attention *a, const head_scores *q, size_t begin, size_t from, size_t to, size_t place, const int is_narrow) {
    size_t group = a->heads / a->kv_heads, dim = a->dim;
    const size_t size = is_narrow ? sizeof(uint16_t) : sizeof(float), key_step = a->key_stride * size;
    const char *keys = is_narrow ? (const char *)a->narrow_keys : (const char *)a->keys;
    const float *queries = a->queries + q->row * a->query_stride + q->first * group * dim;
    keys += begin * key_step + q->first * dim * size;
    for (size_t block = from; block < to; block += ROWS_AT_ONCE) {
        size_t end = to - block < ROWS_AT_ONCE ? to : block + ROWS_AT_ONCE;
        for (size_t h = 0; h < q->kv_heads * group; h++) {
            const float *query = queries + h * dim;
            const char *part = keys + h / group * dim * size;
            float *p = q->scores + h / group * q->step + h % group * q->ld + place;
            for (size_t t = end; h % group == 0 && t < end + ROWS_AT_ONCE && t < to; t++) fetch(part + t * key_step, dim * size);
            size_t t = block;
            for (; t + FEW_N <= end; t += FEW_N) {
                v16 acc[FEW_N] = {0};
                const char *key = part + t * key_step;
                EACH16(dim, v16 x = LOAD(query);
                       _Pragma("unroll") for (int c = 0; c < FEW_N; c++) acc[c] += x * READ(key + c * key_step, 0););
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

// Turns the products of query j of a segment into attention weights.
static void row_weights_of(const swk_attention *a, const swk_segment *s, size_t j, const head_scores *q) {
    size_t group = a->heads / a->kv_heads;
    key_span span = span_of(a, s, j);
    size_t hidden = span.from, total = span.to;
    for (size_t h = 0; h < q->kv_heads * group; h++) {
        size_t head = q->first * group + h;
        float *p = q->scores + h / group * q->step + h % group * q->ld;
        add_relative_one(a, s, j, head, hidden, total, p);
        float factor = scores_of(a, head, j, total, hidden, total - hidden, p + hidden), peak = row_max(total - hidden, p + hidden);
        float sum = exp_row(total - hidden, factor, peak, p + hidden, p + hidden);
        if (a->log_sum_exp) a->log_sum_exp[q->row * a->heads + head] = peak * factor + logf(sum);
        scale(total - hidden, 1.0f / sum, p + hidden, p + hidden);
        if (a->dropout.threshold) dropout(total, a->dropout.rows[q->row] * a->heads + head, &a->dropout, p, p);
    }
}

// Adds the value rows [from, to) behind row `begin`, with the weights from index `place`, to the output of a query, in the order of the
// rows.
INLINE void add_values(const swk_attention *a, const head_scores *q, size_t begin, size_t from, size_t to, size_t place, const int is_narrow) {
    size_t group = a->heads / a->kv_heads, dim = a->dim;
    const size_t size = is_narrow ? sizeof(uint16_t) : sizeof(float), value_step = a->value_stride * size;
    const char *values = is_narrow ? (const char *)a->narrow_values : (const char *)a->values;
    float *out = a->out + q->row * a->out_stride + q->first * group * dim;
    values += begin * value_step + q->first * dim * size;
    for (size_t block = from; block < to; block += ROWS_AT_ONCE) {
        size_t end = to - block < ROWS_AT_ONCE ? to : block + ROWS_AT_ONCE;
        for (size_t h = 0; h < q->kv_heads * group; h++) {
            const char *part = values + h / group * dim * size;
            const float *p = q->scores + h / group * q->step + h % group * q->ld + place;
            for (size_t t = end; h % group == 0 && t < end + ROWS_AT_ONCE && t < to; t++) fetch(part + t * value_step, dim * size);
            if (is_narrow)
                EACH16(dim, v16 acc = LOAD(out + h * dim);
                       for (size_t t = block; t < end; t++) acc += all(p[t]) * READ(part + t * value_step, 0);
                       STORE(out + h * dim, acc););
            else
                product(1, dim, end - block, p + block, q->ld, 1, (const float *)(part + block * value_step), a->value_stride,
                        out + h * dim, a->out_stride, 1);
        }
    }
}

// One query of a segment with several key/value heads, without packing. The workspace holds the scores [heads, ld].
INLINE void attention_one(const swk_attention *a, const swk_segment *s, size_t first, size_t kv_heads, size_t j, float *workspace,
                          const int is_narrow) {
    size_t group = a->heads / a->kv_heads, prefix = s->prefix_count;
    key_span span = span_of(a, s, j);
    size_t own = span.to - prefix, ld = padded(span.to), from = span.from < prefix ? span.from : prefix, own_from = span.from - from;
    head_scores q = {s->query_begin + j, first, kv_heads, group * ld, ld, workspace};
    products_of(a, &q, s->prefix_begin, from, prefix, 0, is_narrow);
    products_of(a, &q, s->key_begin, own_from, own, prefix, is_narrow);
    row_weights_of(a, s, j, &q);
    memset(a->out + q.row * a->out_stride + first * group * a->dim, 0, kv_heads * group * a->dim * sizeof(float));
    add_values(a, &q, s->prefix_begin, from, prefix, 0, is_narrow);
    add_values(a, &q, s->key_begin, own_from, own, prefix, is_narrow);
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
