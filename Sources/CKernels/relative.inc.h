// Relative position terms of disentangled attention (He et al. 2021): the query times a relative key of the distance, and the key
// times a relative query of the distance. A segment of n keys has 2n - 1 distances. Both tables are packed once per segment and
// head. Forward pass only, for segments without a prefix in which the queries are all of the keys.

typedef struct {
    size_t n, both, all;     // number of keys; row length of keys and by_query; row length of by_key
    const float *keys;       // [dim, both]: columns of relative_keys, for the distances 1 - n to n - 1
    const float *by_key;     // [n, all]: key t times the relative queries; query i: column t % QUERY_BLOCK + n - 1 - i
    float *by_query;         // [QUERY_BLOCK, both]: the queries of a block times the relative keys
} relative_tables;

static relative_tables relative_tables_of(const swk_attention *a, const swk_segment *s, size_t head, float *workspace) {
    size_t n = s->query_count, dim = a->dim, width = a->heads * dim;
    relative_tables r = {.n = n, .both = padded(2 * n + QUERY_BLOCK), .all = padded(n + QUERY_BLOCK)};
    float *columns = workspace, *by_key = columns + 2 * dim * r.both;
    size_t first = (a->relative_reach - (n - 1)) * width + head * dim;
    r.by_query = by_key + n * r.all;
    if (a->relative_keys) {
        pack_columns(2 * n - 1, dim, a->relative_keys + first, width, columns, r.both, 0);
        r.keys = columns;
    }
    if (!a->relative_queries) return r;
    float *queries = columns + dim * r.both;
    pack_columns(2 * n - 1, dim, a->relative_queries + first, width, queries, r.both, 0);
    for (size_t t = 0; t < n; t += QUERY_BLOCK) {
        size_t rows = n - t < QUERY_BLOCK ? n - t : QUERY_BLOCK;
        product(rows, n + rows - 1, dim, a->keys + (s->key_begin + t) * a->key_stride + head * dim, a->key_stride, 1, queries + t, r.both,
                by_key + t * r.all, r.all, 0);
    }
    r.by_key = by_key;
    return r;
}

// Adds the relative terms to the products of a block of queries with all keys, scores [rows, ld].
static void add_relative(const swk_attention *a, const relative_tables *r, const float *queries, size_t j, size_t rows, float *scores, size_t ld) {
    size_t n = r->n;
    if (r->keys) {
        product(rows, n + rows - 1, a->dim, queries, a->query_stride, 1, r->keys + n - (j + rows), r->both, r->by_query, r->both, 0);
        for (size_t i = 0; i < rows; i++) {
            const float *row = r->by_query + i * r->both + rows - 1 - i;
            float *p = scores + i * ld;
            EACH16(n, STORE(p, LOAD(p) + LOAD(row)););
        }
    }
    if (!r->by_key) return;
    for (size_t t = 0; t < n; t += QUERY_BLOCK) {
        size_t keys = n - t < QUERY_BLOCK ? n - t : QUERY_BLOCK;
        for (size_t i = 0; i < rows; i++) {
            const float *diagonal = r->by_key + t * r->all + n - 1 - (j + i);
            float *p = scores + i * ld + t;
            for (size_t c = 0; c < keys; c++) p[c] += diagonal[c * (r->all + 1)];
        }
    }
}

// Adds the relative terms to the products of one query with the keys from `from` to `to`.
static void add_relative_one(const swk_attention *a, const swk_segment *s, size_t j, size_t head, size_t from, size_t to, float *p) {
    if (!a->relative_keys && !a->relative_queries) return;
    size_t dim = a->dim, width = a->heads * dim, place = head * dim;
    const float *query = a->queries + (s->query_begin + j) * a->query_stride + place;
    for (size_t t = from; t < to; t++) {
        size_t row = (a->relative_reach + t - j) * width + place;
        const float *key = a->keys + (s->key_begin + t) * a->key_stride + place;
        v16 acc = {0};
        if (a->relative_keys) EACH16(dim, acc += LOAD(query) * LOAD(a->relative_keys + row););
        if (a->relative_queries) EACH16(dim, acc += LOAD(key) * LOAD(a->relative_queries + row););
        p[t] += sum_of(acc);
    }
}
