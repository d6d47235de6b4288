// The steps of the optimisers AdamW and Lion.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are the loop over all parameters.

// AdamW: first decoupled weight decay, then the step with bias-corrected moments.
static void adam(size_t n, const swk_adam *a, const float *gradient, float *value, float *first, float *second) {
    float step = a->learning_rate / a->correction1, root = 1.0f / sqrtf(a->correction2);
    float decay = 1.0f - a->learning_rate * a->weight_decay;
    EACH16(n, v16 g = LOAD(gradient) * all(a->gradient_scale);
           v16 m = LOAD(first) + (g - LOAD(first)) * all(1.0f - a->beta1);
           v16 s = LOAD(second) * all(a->beta2) + g * g * all(1.0f - a->beta2);
           v16 deviation = __builtin_elementwise_sqrt(s);
           STORE(first, m);
           STORE(second, s);
           STORE(value, LOAD(value) * all(decay) - all(step) * m / (deviation * all(root) + all(a->epsilon))););
}

// Lion: decoupled weight decay, and a step of the learning rate against the sign of a mean of momentum and gradient. The sign of
// 0 is 0.
static void lion(size_t n, const swk_adam *a, const float *gradient, float *value, float *momentum) {
    float decay = 1.0f - a->learning_rate * a->weight_decay;
    v16 step = all(a->learning_rate), none = all(0.0f);
    EACH16(n, v16 g = LOAD(gradient) * all(a->gradient_scale);
           v16 mean = LOAD(momentum) * all(a->beta1) + g * all(1.0f - a->beta1);
           v16 change = choose(mean > none, -step, choose(mean < none, step, none));
           STORE(momentum, LOAD(momentum) * all(a->beta2) + g * all(1.0f - a->beta2));
           STORE(value, LOAD(value) * all(decay) + change););
}
