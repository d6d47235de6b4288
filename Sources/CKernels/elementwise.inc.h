// Elementwise operations and sums.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are the loops. GELU_INNER(v) is the argument of tanh. BLOCKED_SUM(n, TERM) is the
// body of a function that returns the sum of TERM, an expression with LOADs, over n elements.

static void add(size_t n, const float *a, const float *b, float *out) { EACH16(n, STORE(out, LOAD(a) + LOAD(b));); }
static void subtract(size_t n, const float *a, const float *b, float *out) { EACH16(n, STORE(out, LOAD(a) - LOAD(b));); }
static void multiply(size_t n, const float *a, const float *b, float *out) { EACH16(n, STORE(out, LOAD(a) * LOAD(b));); }
static void scale_add(size_t n, float s, const float *x, float *acc) { EACH16(n, STORE(acc, LOAD(acc) + all(s) * LOAD(x));); }
static void scale(size_t n, float s, const float *x, float *out) { EACH16(n, STORE(out, all(s) * LOAD(x));); }
static void exponential(size_t n, const float *x, float *out) { EACH16(n, STORE(out, vexp(LOAD(x)));); }
static void tanh_forward(size_t n, const float *x, float *out) { EACH16(n, STORE(out, vtanh(LOAD(x)));); }

static void relu(size_t n, const float *x, float *out) {
    EACH16(n, v16 v = LOAD(x); STORE(out, choose(v < all(0.0f), all(0.0f), v)););
}
static void relu_backward(size_t n, const float *x, const float *dy, float *dx) {
    EACH16(n, STORE(dx, choose(LOAD(x) > all(0.0f), LOAD(dy), all(0.0f))););
}

// GELU(v) = v * Phi(v) = max(v, 0) - |v| * (1 - Phi(|v|)), a form without cancellation. Phi is the normal distribution function.
INLINE v16 vgelu_erf(v16 v) {
    v16 z = smaller(larger(v, -v), all(NORMAL_END));
    return larger(all(0.0f), v) - z * vnormal_tail(z);
}
static void gelu_erf(size_t n, const float *x, float *out) { EACH16(n, STORE(out, vgelu_erf(LOAD(x)));); }
static void gelu_erf_backward(size_t n, const float *x, const float *dy, float *dx) {
    EACH16(n, v16 v = LOAD(x);
           v16 beyond = vnormal_tail(smaller(larger(v, -v), all(NORMAL_END)));
           v16 slope = choose(v < all(0.0f), beyond, all(1.0f) - beyond) + v * all(0.398942280f) * vexp(all(-0.5f) * v * v);
           STORE(dx, LOAD(dy) * slope););
}

#define GELU_INNER(v) (all(0.797884561f) * ((v) + all(0.044715f) * (v) * (v) * (v)))
INLINE v16 vgelu_tanh(v16 v) { return all(0.5f) * v * (all(1.0f) + vtanh(GELU_INNER(v))); }
static void gelu_tanh(size_t n, const float *x, float *out) { EACH16(n, STORE(out, vgelu_tanh(LOAD(x)));); }
static void gelu_tanh_backward(size_t n, const float *x, const float *dy, float *dx) {
    EACH16(n, v16 v = LOAD(x); v16 t = vtanh(GELU_INNER(v));
           v16 inner = all(0.797884561f) * (all(1.0f) + all(3.0f * 0.044715f) * v * v);
           STORE(dx, LOAD(dy) * (all(0.5f) * (all(1.0f) + t) + all(0.5f) * v * (all(1.0f) - t * t) * inner)););
}

static void swiglu(size_t n, const float *gate, const float *up, float *out) {
    EACH16(n, v16 g = LOAD(gate); STORE(out, g * vsigmoid(g) * LOAD(up)););
}
static void swiglu_backward(size_t n, const float *gate, const float *up, const float *dy, float *dgate, float *dup) {
    EACH16(n, v16 g = LOAD(gate); v16 u = LOAD(up); v16 d = LOAD(dy); v16 s = vsigmoid(g);
           STORE(dup, d * g * s);
           STORE(dgate, d * u * s * (all(1.0f) + g * (all(1.0f) - s))););
}

static void geglu_tanh(size_t n, const float *gate, const float *up, float *out) {
    EACH16(n, STORE(out, vgelu_tanh(LOAD(gate)) * LOAD(up)););
}
static void geglu_tanh_backward(size_t n, const float *gate, const float *up, const float *dy, float *dgate, float *dup) {
    EACH16(n, v16 g = LOAD(gate); v16 u = LOAD(up); v16 d = LOAD(dy); v16 t = vtanh(GELU_INNER(g));
           v16 inner = all(0.797884561f) * (all(1.0f) + all(3.0f * 0.044715f) * g * g);
           STORE(dup, d * all(0.5f) * g * (all(1.0f) + t));
           STORE(dgate, d * u * (all(0.5f) * (all(1.0f) + t) + all(0.5f) * g * (all(1.0f) - t * t) * inner)););
}

static void soft_cap(size_t n, float cap, float *x) { EACH16(n, STORE(x, all(cap) * vtanh(LOAD(x) * all(1.0f / cap)));); }
static void soft_cap_gradient(size_t n, float cap, const float *y, float *dx) {
    EACH16(n, v16 t = LOAD(y) * all(1.0f / cap); STORE(dx, LOAD(dx) * (all(1.0f) - t * t)););
}

// Blocks of 512 elements are summed in float (32 additions per lane) and their sums in double, so that long arrays lose no
// precision.
#define SUM_BLOCK 512
#define BLOCKED_SUM(n, TERM)                                                  \
    double total = 0;                                                         \
    for (size_t begin = 0; begin < (n); begin += SUM_BLOCK) {                 \
        size_t count = (n) - begin < SUM_BLOCK ? (n) - begin : SUM_BLOCK;     \
        v16 acc = {0};                                                        \
        EACH16(count, acc += TERM;);                                          \
        total += (double)sum_of(acc);                                         \
    }                                                                         \
    return total

static double sum(size_t n, const float *x) { BLOCKED_SUM(n, LOAD(x + begin)); }
static double sum_of_squares(size_t n, const float *x) { BLOCKED_SUM(n, LOAD(x + begin) * LOAD(x + begin)); }
static double dot(size_t n, const float *a, const float *b) { BLOCKED_SUM(n, LOAD(a + begin) * LOAD(b + begin)); }

static size_t count_non_finite(size_t n, const float *x) {
    i16 bad = {0};
    size_t total = 0;
    for (size_t begin = 0; begin < n; begin += 1 << 20) {
        size_t count = n - begin < (1 << 20) ? n - begin : (1 << 20);
        bad = (i16){0};
        EACH16(count, i16 bits = (i16)LOAD(x + begin) & 0x7f800000; bad -= (bits == 0x7f800000););
        for (int i = 0; i < 16; i++) total += (size_t)bad[i];
    }
    return total;
}

static void add_bias(size_t rows, size_t width, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += width) add(width, x, bias, x);
}
