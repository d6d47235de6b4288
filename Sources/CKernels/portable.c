// The kernels for the compiler's baseline (SSE2 on x86-64, NEON on arm64).
#include "CKernels.h"
#pragma clang diagnostic ignored "-Wpsabi"
#define SWK_TABLE swk_portable_table
#define SWK_NAME "portable"
#define SWK_WIDE 0
#include "table.inc.h"
