#include "CKernels.h"
size_t swk_version(void) { return 1; }
