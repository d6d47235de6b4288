// Parts of attention that are the same in attention.inc.h (products of floats) and attention_bf16.inc.h: which keys a query sees, and
// what happens to the scores of one query.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are loops over the scores of a query.

INLINE size_t padded(size_t keys) { return (keys + 63) / 64 * 64; }

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

// Turns the n products p of query j with the keys from `from` into scores if these are more than scaled products. `to` is the end of
// the query's span. Returns the remaining factor of the scores.
static float scores_of(const swk_attention *a, size_t head, size_t j, size_t to, size_t from, size_t n, float *p) {
    if (a->cap) {
        float inner = a->scale / a->cap;
        EACH16(n, STORE(p, all(a->cap) * vtanh(LOAD(p) * all(inner))););
        return 1.0f;
    }
    if (a->slopes) {
        float slope = a->slopes[head];
        for (size_t i = 0; i < n; i++) p[i] = a->scale * p[i] - slope * (float)(to - 1 - from - i);
        return 1.0f;
    }
    if (a->relative_bias) {
        const float *bias = a->relative_bias + head * (2 * a->relative_reach + 1) + a->relative_reach + from - j;
        EACH16(n, STORE(p, all(a->scale) * LOAD(p) + LOAD(bias)););
        return 1.0f;
    }
    return a->scale;
}

// 2^x with a relative error below 3e-6, for x below 128; 0 below -126.5. NaN stays NaN. The exponent is put together from the integer
// in the low bits of n, without the fallbacks of vexp: for exponentials that are rounded to bfloat16 afterwards.
INLINE v16 power_of_two(v16 x) {
    x = larger(all(-127.0f), x);
    v16 n = x + all(ROUNDING + 127.0f), r = x - (n - all(ROUNDING + 127.0f));
    v16 p = all(9.5828529e-3f);
    p = p * r + all(5.59064262e-2f);
    p = p * r + all(2.402409911e-1f);
    p = p * r + all(6.931241751e-1f);
    return (p * r + all(1.0f)) * (v16)((i16)n << 23);
}
#define LOG2E 1.44269504f

// What one query's row of a tile needs in the backward pass. The tile has keys [begin, end), of which the query sees [from, to).
typedef struct {
    size_t head, j, row;           // of the query: its head, its number in the segment, and its row in the batch
    size_t begin, from, to, end, last; // last: the end of the query's span, in any tile
    float delta;                   // rowsum(dO O)
} gradient_row;

// rowsum(dO O) of one query; with the constant is_rounded, of the dO that the products read, so that the gradients of a query's
// scores add up to 0.
INLINE float delta_of(size_t n, const float *out, const float *d_out, const int is_rounded) {
    v16 acc = {0};
    EACH16(n, v16 d = LOAD(d_out); acc += LOAD(out) * (is_rounded ? (v16)(narrowed(d) << 16) : d););
    return sum_of(acc);
}

// Replaces p, products of a query with the keys of a tile, by the weights that the values were multiplied by, and ds, the gradients of
// those weights, by gradients of the products. Both are 0 for keys that the query does not see. With the constant is_rounded,
// exponentials are those of power_of_two.
INLINE void gradients_of(const swk_attention *a, const gradient_row *g, float *p, float *ds, const int is_rounded) {
    size_t n = g->to - g->from, skipped = g->from - g->begin;
    float *pw = p + skipped, *dw = ds + skipped, lse = a->log_sum_exp[g->row * a->heads + g->head]; // w: within the span
    float factor = scores_of(a, g->head, g->j, g->last, g->from, n, pw), inverse = a->cap ? 1.0f / a->cap : 0.0f;
    uint64_t place = a->dropout.threshold ? a->dropout.rows[g->row] * a->heads + g->head : 0;
    if (a->dropout.threshold) dropout_from(g->begin, skipped + n, place, &a->dropout, ds, ds);
#define WEIGHT(X) (is_rounded ? power_of_two((X) * all(factor * LOG2E) - all(lse * LOG2E)) : vexp((X) * all(factor) - all(lse)))
    if (a->cap) // the derivative of the cap is 1 - tanh², and the scores are cap * tanh
        EACH16(n, v16 t = LOAD(pw) * all(inverse); v16 e = WEIGHT(LOAD(pw)); STORE(pw, e);
               STORE(dw, e * (LOAD(dw) - all(g->delta)) * all(a->scale) * (all(1.0f) - t * t)););
    else
        EACH16(n, v16 e = WEIGHT(LOAD(pw)); STORE(pw, e); STORE(dw, e * (LOAD(dw) - all(g->delta)) * all(a->scale)););
#undef WEIGHT
    memset(p, 0, skipped * sizeof(float));
    memset(ds, 0, skipped * sizeof(float));
    if (a->dropout.threshold) dropout_from(g->begin, skipped + n, place, &a->dropout, p, p);
    memset(pw + n, 0, (g->end - g->to) * sizeof(float));
    memset(dw + n, 0, (g->end - g->to) * sizeof(float));
}
