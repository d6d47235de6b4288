// Softmax and related functions on rows of logits: log-sum-exp, cross-entropy, entropy and sampling.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are loops over a row. SUM_BLOCK (elementwise.inc.h) is the number of terms that
// are summed in float before their sum is added in double.

INLINE float row_max(size_t width, const float *x) {
    if (width < 16) {
        float m = x[0];
        for (size_t i = 1; i < width; i++) m = x[i] > m ? x[i] : m;
        return m;
    }
    v16 m = load(x);
    for (size_t i = 16; i + 16 <= width; i += 16) m = larger(load(x + i), m);
    return max_of(larger(load(x + width - 16), m));
}

// The sum of exp(s*(x - peak)); the terms are written to out if it is not NULL. Lanes past the end do not count.
INLINE float exp_row(size_t width, float s, float peak, const float *x, float *out) {
    double total = 0;
    for (size_t begin = 0; begin < width; begin += SUM_BLOCK) {
        size_t end = width - begin < SUM_BLOCK ? width : begin + SUM_BLOCK, i = begin;
        v16 acc = {0};
        for (; i + 16 <= end; i += 16) {
            v16 e = vexp((load(x + i) - all(peak)) * all(s));
            if (out) store(out + i, e);
            acc += e;
        }
        if (i < end) {
            v16 e = vexp((load_part(x + i, end - i) - all(peak)) * all(s));
            if (out) store_part(out + i, e, end - i);
            acc += first_lanes(e, end - i);
        }
        total += (double)sum_of(acc);
    }
    return (float)total;
}

static void softmax(size_t rows, size_t width, const float *x, float *out) {
    for (size_t r = 0; r < rows; r++, x += width, out += width) {
        float total = exp_row(width, 1.0f, row_max(width, x), x, out);
        scale(width, 1.0f / total, out, out);
    }
}
static void softmax_backward(size_t rows, size_t width, const float *y, const float *dy, float *dx) {
    for (size_t r = 0; r < rows; r++, y += width, dy += width, dx += width) {
        v16 acc = {0};
        EACH16(width, acc += LOAD(y) * LOAD(dy););
        float shared = sum_of(acc);
        EACH16(width, STORE(dx, LOAD(y) * (LOAD(dy) - all(shared))););
    }
}

static float log_sum_exp(size_t width, float inverse_temperature, const float *x) {
    float peak = row_max(width, x);
    if (!(peak > -INFINITY)) return peak;
    return peak * inverse_temperature + logf(exp_row(width, inverse_temperature, peak, x, NULL));
}

static void cross_entropy_gradient(size_t width, float lse, float weight, int32_t target, float *x) {
    EACH16(width, STORE(x, all(weight) * vexp(LOAD(x) - all(lse))););
    x[target] -= weight;
}

static float softmax_mean(size_t width, float lse, const float *x) {
    double total = 0;
    for (size_t begin = 0; begin < width; begin += SUM_BLOCK) {
        size_t count = width - begin < SUM_BLOCK ? width - begin : SUM_BLOCK;
        v16 acc = {0};
        // a masked logit (-inf) has probability 0 and contributes nothing; neither do the zeros that pad a partial vector
        EACH16(count, v16 v = LOAD(x + begin); v16 p = vexp(v - all(lse));
               acc += choose(p > all(0.0f), p * v, all(0.0f)););
        total += (double)sum_of(acc);
    }
    return (float)total;
}

static void entropy_gradient(size_t width, float lse, float mean, float weight, const float *x, float *acc) {
    EACH16(width, v16 v = LOAD(x); v16 p = vexp(v - all(lse));
           STORE(acc, LOAD(acc) + choose(p > all(0.0f), all(-weight) * p * (v - all(mean)), all(0.0f))););
}

static size_t argmax(size_t width, const float *x) {
    float peak = row_max(width, x);
    for (size_t i = 0; i < width; i++) if (x[i] == peak) return i;
    return 0;
}

static size_t sample(size_t width, float inverse_temperature, float lse, float uniform, const float *x) {
    double total = 0;
    size_t last = 0;
    float e[256];
    for (size_t begin = 0; begin < width; begin += 256) {
        size_t count = width - begin < 256 ? width - begin : 256;
        EACH16(count, STORE(e, vexp(LOAD(x + begin) * all(inverse_temperature) - all(lse))););
        double block = 0;
        for (size_t i = 0; i < count; i++) block += (double)e[i];
        if (total + block > (double)uniform) {
            for (size_t i = 0; i < count; i++) {
                total += (double)e[i];
                if (e[i] > 0) last = begin + i;
                if (total > (double)uniform) return begin + i;
            }
        } else {
            total += block;
            for (size_t i = 0; i < count; i++) if (e[i] > 0) last = begin + i;
        }
    }
    return last; // due to rounding, the sum is slightly below `uniform`: return the last index with a positive probability
}
