// Memory and addresses directly from the operating system.
#define _GNU_SOURCE
#include "CKernels.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

static void *mapped(size_t bytes, int protection) {
    void *block = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

void *swk_map(size_t bytes) { return mapped(bytes, PROT_READ | PROT_WRITE); }

void *swk_reserve(size_t bytes) { return mapped(bytes, PROT_NONE); }

int swk_open(void *block, size_t bytes) { return mprotect(block, bytes, PROT_READ | PROT_WRITE) == 0; }

void swk_unmap(void *block, size_t bytes) { munmap(block, bytes); }

void swk_discard(void *block, size_t bytes) {
#ifdef __linux__
    madvise(block, bytes, MADV_DONTNEED);
#else
    madvise(block, bytes, MADV_FREE);
#endif
}

void swk_use_huge_pages(void *block, size_t bytes) {
#ifdef MADV_HUGEPAGE
    madvise(block, bytes, MADV_HUGEPAGE);
#else
    (void)block;
    (void)bytes;
#endif
}

size_t swk_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

size_t swk_machine_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? (size_t)pages * swk_page_size() : 0;
}

int swk_addresses_are_limited(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

void swk_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
