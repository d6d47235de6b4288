// Attention of one segment without a prefix and one key/value head, forwards only, with products of bfloat16 numbers: queries, keys,
// values and the weights of keys are rounded, sums and the softmax are floats. `product` is that of the build in use.

#define NARROW_QUERIES 64

typedef void (*bf16_product_function)(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row,
                                      int accumulate);

static void attention_narrow(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace,
                             bf16_product_function product) {
    size_t group = a->heads / a->kv_heads, dim = a->dim, half = (dim + 1) / 2;
    size_t total = s->key_first - s->key_begin + s->query_count, ld = padded(total), pairs = (total + 1) / 2;
    uint32_t *keys = (uint32_t *)workspace, *values = keys + half * ld, *queries = values + pairs * ((dim + 15) / 16 * 16);
    uint32_t *weights = queries + (NARROW_QUERIES + SWK_ROW_BLOCK) * half;
    float *scores = (float *)(weights + (NARROW_QUERIES + SWK_ROW_BLOCK) * (ld / 2));
    const float *own_keys = a->keys + s->key_begin * a->key_stride + kv_head * dim;
    const float *own_values = a->values + s->key_begin * a->value_stride + kv_head * dim;
    for (size_t j = 0; j < total; j += PANEL)
        bf16_pack(total - j < PANEL ? total - j : PANEL, dim, own_keys + j * a->key_stride, 1, a->key_stride, keys + j * half);
    for (size_t j = 0; j < dim; j += PANEL)
        bf16_pack(dim - j < PANEL ? dim - j : PANEL, total, own_values + j, a->value_stride, 1, values + j * pairs);
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++)
        for (size_t j = 0; j < s->query_count; j += NARROW_QUERIES) {
            size_t rows = s->query_count - j < NARROW_QUERIES ? s->query_count - j : NARROW_QUERIES;
            size_t seen = s->sees_all ? total : s->key_first - s->key_begin + j + rows; // by the block's last query
            bf16_narrow(rows, dim, a->queries + (s->query_begin + j) * a->query_stride + head * dim, a->query_stride, 1, queries);
            product(rows, seen, dim, queries, keys, scores, ld, 0);
            for (size_t r = 0; r < rows; r++) {
                size_t visible = s->sees_all ? seen : seen - (rows - 1 - r);
                float *p = scores + r * ld;
                scale(visible, 1.0f / exp_row(visible, a->scale, row_max(visible, p), p, p), p, p);
                memset(p + visible, 0, (seen - visible) * sizeof(float));
            }
            bf16_narrow(rows, seen, scores, ld, 1, weights);
            float *out = a->out + (s->query_begin + j) * a->out_stride + head * dim;
            // a panel of values may be deeper than the queries see: what lies behind is not read
            for (size_t d = 0; d < dim; d += PANEL)
                product(rows, dim - d < PANEL ? dim - d : PANEL, seen, weights, values + d * pairs, out + d, a->out_stride, 0);
        }
}
