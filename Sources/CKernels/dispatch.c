// Selects the kernel table for the processor.
#define _GNU_SOURCE
#include "CKernels.h"
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

extern const swk_kernel_table swk_portable_table;
#if defined(__x86_64__)
extern const swk_kernel_table swk_avx2_table, swk_avx512_table, swk_avx512_bf16_table, swk_amx_table;

// Whether the processor has tile registers for bfloat16 and the operating system allows this process to use them. Linux requires
// a request before the first use, because it then reserves space for the registers in every thread. Repeated requests have no
// effect.
static int tiles_are_allowed(void) {
#if defined(__linux__)
    enum { request_component = 0x1023, tile_data = 18 }; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 22) || !(d & 1u << 24)) return 0; // AMX-BF16, AMX-TILE
    return syscall(SYS_arch_prctl, request_component, tile_data) == 0;
#else
    return 0;
#endif
}
#endif

swk_level swk_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return __builtin_cpu_supports("avx512bf16") && tiles_are_allowed() ? SWK_AMX : SWK_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SWK_AVX2;
#endif
    return SWK_PORTABLE;
}

const swk_kernel_table *swk_kernels(swk_level level) {
    if (level > swk_best_level()) return NULL;
    switch (level) {
#if defined(__x86_64__)
    case SWK_AMX: return &swk_amx_table;
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

size_t swk_attention_bf16_workspace(size_t keys, size_t dim, int backward) {
    // the sizes in attention_bf16.inc.h: 64 queries; tiles of 512 keys, or of 256 in the backward pass
    size_t ld = (keys + 63) / 64 * 64, wide = (dim + 15) / 16 * 16, row = (backward ? 256 : 512) + 16;
    size_t packed = ld * wide / 2, score = 64 * (row > dim ? row : dim);
    size_t rounded = backward ? 3 * packed + 4 * 64 * wide / 2 + 32 * (256 + SWK_ROW_BLOCK) + score + 64 * row + 256
                              : 2 * packed + 64 * wide / 2 + 64 * 512 / 2 + score + 128;
    size_t floats = swk_attention_workspace(keys, dim, backward); // for segments with few queries
    return rounded > floats ? rounded : floats;
}

size_t swk_prefix_rows(size_t keys) {
    size_t ld = (keys + 63) / 64 * 64, rows = 262144 / (ld + 1);
    return rows > 256 ? 256 : rows < SWK_PREFIX_QUERIES ? SWK_PREFIX_QUERIES : rows;
}

size_t swk_prefix_workspace(size_t keys, size_t dim) {
    size_t ld = (keys + 63) / 64 * 64, depth = (dim + 31) / 32 * 32;
    return swk_prefix_rows(keys) * (ld + depth) + 32 * depth;
}

size_t swk_relative_workspace(size_t keys, size_t dim) {
    size_t both = (2 * keys + 48 + 63) / 64 * 64, all = (keys + 48 + 63) / 64 * 64;
    return (2 * dim + 48) * both + keys * all + 64;
}
