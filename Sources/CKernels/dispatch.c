// Which build of the kernels this processor runs.
#include "CKernels.h"

extern const swk_kernel_table swk_portable_table;
#if defined(__x86_64__)
extern const swk_kernel_table swk_avx2_table, swk_avx512_table, swk_avx512_bf16_table;
#endif

swk_level swk_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return SWK_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SWK_AVX2;
#endif
    return SWK_PORTABLE;
}

const swk_kernel_table *swk_kernels(swk_level level) {
    if (level > swk_best_level()) return NULL;
    switch (level) {
#if defined(__x86_64__)
    case SWK_AVX512: return __builtin_cpu_supports("avx512bf16") ? &swk_avx512_bf16_table : &swk_avx512_table;
    case SWK_AVX2: return &swk_avx2_table;
#endif
    case SWK_PORTABLE: return &swk_portable_table;
    default: return NULL;
    }
}

size_t swk_attention_workspace(size_t keys, size_t dim, int backward) {
    size_t ld = (keys + 63) / 64 * 64;
    return (size_t)(backward ? 2 : 1) * ld * (dim + 48) + 64;
}
