// RMSNorm (Zhang & Sennrich 2019), LayerNorm (Ba et al. 2016) and rotary position embedding (Su et al. 2021).
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are loops over a row.

static void rms_norm(size_t rows, size_t width, const float *x, const float *weight, float epsilon, float *out,
                     float *inverse) {
    for (size_t r = 0; r < rows; r++, x += width, out += width) {
        float mean = (float)(sum_of_squares(width, x) / (double)width);
        float inv = 1.0f / sqrtf(mean + epsilon);
        if (inverse) inverse[r] = inv;
        EACH16(width, STORE(out, LOAD(weight) * (LOAD(x) * all(inv))););
    }
}

// dx = inv * (w dy - x inv² mean(x w dy));  dw += dy x inv
static void rms_norm_backward(size_t rows, size_t width, const float *x, const float *weight, const float *inverse,
                              const float *dy, float *dx, float *dweight) {
    for (size_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
        float inv = inverse[r];
        v16 acc = {0};
        EACH16(width, acc += LOAD(x) * LOAD(weight) * LOAD(dy););
        float shared = sum_of(acc) * inv * inv / (float)width;
        if (dweight) EACH16(width, STORE(dweight, LOAD(dweight) + LOAD(dy) * LOAD(x) * all(inv)););
        EACH16(width, STORE(dx, all(inv) * (LOAD(weight) * LOAD(dy) - LOAD(x) * all(shared))););
    }
}

static void layer_norm(size_t rows, size_t width, const float *x, const float *weight, const float *bias, float epsilon,
                       float *out, float *mean, float *inverse) {
    for (size_t r = 0; r < rows; r++, x += width, out += width) {
        float m = (float)(sum(width, x) / (double)width);
        v16 acc = {0};
        // exclude the unused lanes of a partial vector
        EACH16(width, v16 d = LOAD(x) - all(m); v16 square = d * d;
               if (whole_) acc += square; else for (size_t i = 0; i < width_; i++) acc[i] += square[i];);
        float inv = 1.0f / sqrtf(sum_of(acc) / (float)width + epsilon);
        if (mean) mean[r] = m;
        if (inverse) inverse[r] = inv;
        EACH16(width, STORE(out, (LOAD(x) - all(m)) * all(inv) * LOAD(weight) + LOAD(bias)););
    }
}

static void layer_norm_backward(size_t rows, size_t width, const float *x, const float *weight, const float *mean,
                                const float *inverse, const float *dy, float *dx, float *dweight, float *dbias) {
    for (size_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
        float m = mean[r], inv = inverse[r];
        v16 first = {0}, second = {0};
        EACH16(width, v16 g = LOAD(dy) * LOAD(weight); first += g; second += g * (LOAD(x) - all(m)) * all(inv););
        float a = sum_of(first) / (float)width, b = sum_of(second) / (float)width;
        if (dweight) EACH16(width, STORE(dweight, LOAD(dweight) + LOAD(dy) * (LOAD(x) - all(m)) * all(inv)););
        if (dbias) EACH16(width, STORE(dbias, LOAD(dbias) + LOAD(dy)););
        EACH16(width, STORE(dx, all(inv) * (LOAD(dy) * LOAD(weight) - all(a) - (LOAD(x) - all(m)) * all(inv * b))););
    }
}

static void rotate(size_t rows, size_t heads, size_t dim, size_t head_stride, size_t stride, int interleaved, const int32_t *positions,
                   const float *cosines, const float *sines, float direction, float *x) {
    size_t half = dim / 2;
    for (size_t r = 0; r < rows; r++) {
        const float *c = cosines + (size_t)positions[r] * half, *s = sines + (size_t)positions[r] * half;
        for (size_t h = 0; h < heads; h++) {
            float *low = x + r * stride + h * head_stride, *high = low + half;
            if (interleaved) {
                for (size_t i = 0; i < half; i++) {
                    float a = low[2 * i], b = low[2 * i + 1], co = c[i], si = s[i] * direction;
                    low[2 * i] = a * co - b * si;
                    low[2 * i + 1] = b * co + a * si;
                }
                continue;
            }
            EACH16(half, v16 a = LOAD(low); v16 b = LOAD(high); v16 co = LOAD(c); v16 si = LOAD(s) * all(direction);
                   STORE(low, a * co - b * si);
                   STORE(high, b * co + a * si););
        }
    }
}
