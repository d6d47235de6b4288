// Attention of several queries, of different sequences, behind the same prefix, as in decoding several answers to one prompt. The
// rows of the prefix are read and widened once for all of the queries. Rows after the prefix are read query by query.
//
// The products and sums of a query are those of attention_one, in the same order, so the results have the same bits. A product is the
// sum of 16 lanes there. Here 16 keys are the lanes, and the 16 partial sums are added in the order of sum_of.
//
// Macros: PREFIX_TILE(ROWS) defines prefix_tile_ROWS, the products of ROWS queries with 16 keys. KEYS_AT_ONCE keys are
// transposed, and VALUES_AT_ONCE values are widened, for one head before the next head.

#define KEYS_AT_ONCE 16
#define VALUES_AT_ONCE 32

// `width` bytes, up to 64, of each of `count` keys that are `step` bytes apart; the rest of 16 rows is 0.
INLINE void key_rows(size_t count, size_t width, const char *keys, size_t step, v16 block[16]) {
    typedef v16 unaligned __attribute__((aligned(2), may_alias));
    if (count == 16 && width == 64) {
        _Pragma("unroll") for (size_t t = 0; t < 16; t++) block[t] = *(const unaligned *)(keys + t * step);
    } else {
        char rows[16][64] = {0};
        for (size_t t = 0; t < count; t++) memcpy(rows[t], keys + t * step, width);
        _Pragma("unroll") for (size_t t = 0; t < 16; t++) block[t] = *(const unaligned *)rows[t];
    }
}

// Sixteen keys as columns of out [dim, 16], padded with keys and channels of zeros to 16 keys and a multiple of 32 channels.
INLINE void key_columns(size_t count, size_t dim, const char *keys, size_t step, float *out, const int is_narrow) {
    const size_t bytes = dim * (is_narrow ? sizeof(uint16_t) : sizeof(float));
    for (size_t b = 0; b < bytes; b += 64) {
        v16 block[16];
        key_rows(count, bytes - b < 64 ? bytes - b : 64, keys + b, step, block);
        transpose(block);
        _Pragma("unroll") for (size_t i = 0; i < 16; i++) {
            if (is_narrow) {
                store(out + 32 * i, (v16)((u16v)block[i] << 16));
                store(out + 32 * i + 16, (v16)((u16v)block[i] & 0xFFFF0000u));
            } else store(out + 16 * i, block[i]);
        }
        out += is_narrow ? 512 : 256;
    }
}

// p[r, t] = queries[r] · key t for ROWS queries and the first n of 16 keys. `depth` is a multiple of 16. The lanes i, i + 4, i + 8 and
// i + 12 of a product make part i.
#define PREFIX_TILE(ROWS)                                                                                            \
    INLINE void prefix_tile_##ROWS(size_t depth, const float *queries, size_t query_row, const float *keys, float *p, size_t ld, size_t n) { \
        v16 part[4][ROWS];                                                                                           \
        _Pragma("unroll") for (int i = 0; i < 4; i++) {                                                              \
            const int lane = i == 1 ? 2 : i == 2 ? 1 : i;                                                            \
            v16 acc[4][ROWS] = {0};                                                                                  \
            for (size_t d = lane; d < depth; d += 16)                                                                \
                _Pragma("unroll") for (int l = 0; l < 4; l++) {                                                      \
                    v16 key = load(keys + (d + 4 * l) * 16);                                                         \
                    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                 \
                        acc[l][r] += all(queries[r * query_row + d + 4 * l]) * key;                                  \
                }                                                                                                    \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
                part[i][r] = (acc[0][r] + acc[2][r]) + (acc[1][r] + acc[3][r]);                                      \
        }                                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            store_first(p + r * ld, (part[0][r] + part[1][r]) + (part[2][r] + part[3][r]), n);                       \
    }
PREFIX_TILE(1)
#if SWK_WIDE
PREFIX_TILE(2)
PREFIX_TILE(4)
#endif

// The products of `rows` queries with up to 16 keys.
static void prefix_products(size_t rows, size_t depth, const float *queries, const float *keys, float *p, size_t ld, size_t n) {
    size_t r = 0;
#if SWK_WIDE
    for (; r + 4 <= rows; r += 4) prefix_tile_4(depth, queries + r * depth, depth, keys, p + r * ld, ld, n);
    if (r + 2 <= rows) {
        prefix_tile_2(depth, queries + r * depth, depth, keys, p + r * ld, ld, n);
        r += 2;
    }
#endif
    for (; r < rows; r++) prefix_tile_1(depth, queries + r * depth, depth, keys, p + r * ld, ld, n);
}

// A query of the group: the segment that it belongs to, its number in it, the first key that it sees of the prefix, and the range of
// those that it sees of the segment's own keys.
typedef struct {
    const swk_segment *segment;
    size_t j, from, own_from, own_to;
} prefix_query;

INLINE void fetch_rows(const char *rows, size_t step, size_t bytes, size_t count) {
    for (size_t t = 0; t < count; t++) fetch(rows + t * step, bytes);
}

INLINE void attention_behind(const swk_attention *a, const prefix_query *queries, size_t count, size_t first, size_t kv_heads, size_t ld,
                             float *workspace, const int is_narrow) {
    const swk_segment *s = queries[0].segment;
    size_t group = a->heads / a->kv_heads, dim = a->dim, depth = (dim + 15) / 16 * 16, rows = count * group, prefix = s->prefix_count;
    const size_t size = is_narrow ? sizeof(uint16_t) : sizeof(float), key_step = a->key_stride * size, value_step = a->value_stride * size;
    const char *all_keys = (is_narrow ? (const char *)a->narrow_keys : (const char *)a->keys) + first * dim * size;
    const char *all_values = (is_narrow ? (const char *)a->narrow_values : (const char *)a->values) + first * dim * size;
    const char *keys = all_keys + s->prefix_begin * key_step, *values = all_values + s->prefix_begin * value_step;
    // rows of scores, and of gathered queries and outputs: key/value head, query, query head of the key/value head
    const size_t width = kv_heads * dim * size; // bytes of a row for these heads
    fetch_rows(keys, key_step, width, prefix < KEYS_AT_ONCE ? prefix : KEYS_AT_ONCE);
    float *scores = workspace, *gathered = scores + kv_heads * rows * ld, *block = gathered + kv_heads * rows * depth;
    head_scores all_scores[SWK_PREFIX_QUERIES];
    size_t common = 0; // the first key that all queries see
    memset(gathered, 0, kv_heads * rows * depth * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        size_t row = queries[i].segment->query_begin + queries[i].j;
        all_scores[i] = (head_scores){row, first, kv_heads, rows * ld, ld, scores + i * group * ld};
        if (queries[i].from > common) common = queries[i].from;
        const float *query = a->queries + row * a->query_stride + first * group * dim;
        for (size_t h = 0; h < kv_heads * group; h++)
            memcpy(gathered + (h / group * rows + i * group + h % group) * depth, query + h * dim, dim * sizeof(float));
    }
    for (size_t i = 0; i < count; i++) products_of(a, &all_scores[i], s->prefix_begin, queries[i].from, common, 0, is_narrow);
    for (size_t t = common; t < prefix; t += KEYS_AT_ONCE) {
        size_t n = prefix - t < KEYS_AT_ONCE ? prefix - t : KEYS_AT_ONCE;
        for (size_t h = 0; h < kv_heads; h++) {
            const char *part = keys + t * key_step + h * dim * size;
            for (size_t u = KEYS_AT_ONCE; u < 2 * KEYS_AT_ONCE && t + u < prefix; u++) fetch(part + u * key_step, dim * size);
            key_columns(n, dim, part, key_step, block, is_narrow);
            prefix_products(rows, depth, gathered + h * rows * depth, block, scores + h * rows * ld + t, ld, n);
        }
    }
    fetch_rows(values + common * value_step, value_step, width, prefix - common < VALUES_AT_ONCE ? prefix - common : VALUES_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        const swk_segment *its = queries[i].segment;
        float *out = a->out + all_scores[i].row * a->out_stride + first * group * dim;
        products_of(a, &all_scores[i], its->key_begin, queries[i].own_from, queries[i].own_to, prefix, is_narrow);
        row_weights_of(a, its, queries[i].j, &all_scores[i]);
        memset(out, 0, kv_heads * group * dim * sizeof(float));
        add_values(a, &all_scores[i], s->prefix_begin, queries[i].from, common, 0, is_narrow);
        for (size_t h = 0; h < kv_heads * group; h++)
            memcpy(gathered + (h / group * rows + i * group + h % group) * depth, out + h * dim, dim * sizeof(float));
    }
    for (size_t t = common; t < prefix; t += VALUES_AT_ONCE) {
        size_t n = prefix - t < VALUES_AT_ONCE ? prefix - t : VALUES_AT_ONCE;
        for (size_t h = 0; h < kv_heads; h++) {
            const char *part = values + t * value_step + h * dim * size;
            for (size_t u = VALUES_AT_ONCE; u < 2 * VALUES_AT_ONCE && t + u < prefix; u++) fetch(part + u * value_step, dim * size);
            const float *wide = (const float *)part;
            if (is_narrow) {
                for (size_t u = 0; u < n; u++) EACH16(dim, STORE(block + u * dim, READ(part + u * value_step, 0)););
                wide = block;
            }
            product(rows, dim, n, scores + h * rows * ld + t, ld, 1, wide, is_narrow ? dim : a->value_stride, gathered + h * rows * depth,
                    depth, 1);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const swk_segment *its = queries[i].segment;
        float *out = a->out + all_scores[i].row * a->out_stride + first * group * dim;
        for (size_t h = 0; h < kv_heads * group; h++)
            memcpy(out + h * dim, gathered + (h / group * rows + i * group + h % group) * depth, dim * sizeof(float));
        add_values(a, &all_scores[i], its->key_begin, queries[i].own_from, queries[i].own_to, prefix, is_narrow);
    }
}

static void attention_prefix(const swk_attention *a, const swk_segment *segments, size_t count, size_t first, size_t kv_heads,
                             float *workspace) {
    prefix_query queries[SWK_PREFIX_QUERIES];
    size_t n = 0, ld = 0, group = a->heads / a->kv_heads;
    for (const swk_segment *s = segments; s < segments + count; s++)
        for (size_t j = 0; j < s->query_count; j++) {
            key_span span = span_of(a, s, j);
            size_t from = span.from < s->prefix_count ? span.from : s->prefix_count;
            queries[n++] = (prefix_query){s, j, from, span.from - from, span.to - s->prefix_count};
            if (padded(span.to) > ld) ld = padded(span.to);
        }
    size_t limit = swk_prefix_rows(ld), most = n * group < limit ? limit / (n * group) : 1;
    for (size_t h = 0; n && h < kv_heads; h += most) {
        size_t heads = kv_heads - h < most ? kv_heads - h : most;
        if (a->narrow_keys) attention_behind(a, queries, n, first + h, heads, ld, workspace, 1);
        else attention_behind(a, queries, n, first + h, heads, ld, workspace, 0);
    }
}
