// The commit that was built, where `make build` has written it into commit.h, which git does not keep; empty in other builds, such as that of
// a package that depends on this one.
#include "CKernels.h"
#if __has_include("commit.h")
#include "commit.h"
#endif
#ifndef SWK_COMMIT
#define SWK_COMMIT ""
#endif
const char *swk_commit(void) { return SWK_COMMIT; }
