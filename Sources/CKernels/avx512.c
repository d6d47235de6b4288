// The kernels for AVX-512 (F, BW, DQ, VL).
#include "CKernels.h"
#if defined(__x86_64__)
#pragma clang diagnostic ignored "-Wpsabi"
#define SWK_TABLE swk_avx512_table
#define SWK_NAME "avx512"
#define SWK_WIDE 1
#define SWK_MASKS 512
#define SWK_NATIVE_BF16 1 // additionally a table with the instructions of AVX-512-BF16
#define SWK_NATIVE_TABLE swk_avx512_bf16_table
#define SWK_TILES_TABLE swk_amx_table // additionally a table with AMX tiles
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"), \
                                            min_vector_width(512))), apply_to = function)
#include "table.inc.h"
#pragma clang attribute pop
#endif
