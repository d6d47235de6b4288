// Large blocks of memory directly from the operating system, so that freed memory is returned at once and not kept by malloc.
#define _GNU_SOURCE
#include "CKernels.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Blocks of at least this size request huge pages of 2 MiB, which reduces page faults, and TLB misses when weights are streamed.
#define HUGE ((size_t)4 << 20)

void *swk_map(size_t bytes) {
#ifdef MAP_ANONYMOUS
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#else
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
#endif
    if (block == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE) madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
}

void swk_unmap(void *block, size_t bytes) { munmap(block, bytes); }

void swk_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
