// The kernels for AVX2 with fused multiply-add (FMA).
#include "CKernels.h"
#if defined(__x86_64__)
#pragma clang diagnostic ignored "-Wpsabi"
#define SWK_TABLE swk_avx2_table
#define SWK_NAME "avx2"
#define SWK_WIDE 0
#define SWK_MASKS 256
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "table.inc.h"
#pragma clang attribute pop
#endif
