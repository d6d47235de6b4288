// AdamW: first decoupled weight decay, then the step with bias-corrected moments.
//
// Macros: EACH16, LOAD and STORE (vector.inc.h) are the loop over all parameters.

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
