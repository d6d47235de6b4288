// The git commit of the build. `make build` writes it to commit.h, which is not under version control. It is empty in other
// builds, such as that of a package that depends on this one.
#include "CKernels.h"
#if __has_include("commit.h")
#include "commit.h"
#endif
#ifndef SWK_COMMIT
#define SWK_COMMIT ""
#endif
const char *swk_commit(void) { return SWK_COMMIT; }
