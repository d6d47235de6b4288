// A process-wide pool of worker threads. After a job, workers spin briefly, because the next job usually follows at once, and
// then sleep. Threads take indices from an atomic counter.
#define _GNU_SOURCE
#include "CKernels.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define MAX_WORKERS 255
#define SPINS 4000

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;   // held by the caller whose job is running
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;   // protects sleeping and waking
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static _Atomic unsigned long generation;                   // incremented for each job
static int started;                                        // number of workers created so far; protected by busy
static unsigned long born[MAX_WORKERS];                    // the generation before each worker's first job

static struct {
    void (*body)(void *, size_t);
    void *context;
    size_t count;
    int workers;                                           // number of workers that take part
    _Atomic size_t next;
    _Atomic int remaining;                                 // number of workers that have not finished this job
} job;

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void take_indices(void) {
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&job.next, 1, memory_order_relaxed);
        if (i >= job.count) return;
        job.body(job.context, i);
    }
}

static void *worker(void *argument) {
    long number = (long)argument;
    unsigned long seen = born[number];
    for (;;) {
        unsigned long now;
        for (int spin = 0; (now = atomic_load_explicit(&generation, memory_order_acquire)) == seen && spin < SPINS; spin++)
            relax();
        if (now == seen) {
            pthread_mutex_lock(&gate);
            while ((now = atomic_load_explicit(&generation, memory_order_acquire)) == seen) pthread_cond_wait(&wake, &gate);
            pthread_mutex_unlock(&gate);
        }
        seen = now;
        if (number < job.workers) take_indices();
        atomic_fetch_sub_explicit(&job.remaining, 1, memory_order_release);
    }
    return NULL;
}

int swk_processor_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

void swk_parallel(int threads, size_t count, void (*body)(void *, size_t), void *context) {
    if (threads > MAX_WORKERS) threads = MAX_WORKERS;
    if ((size_t)threads > count) threads = (int)count;
    if (threads <= 1 || pthread_mutex_trylock(&busy) != 0) {
        for (size_t i = 0; i < count; i++) body(context, i);
        return;
    }
    while (started < threads - 1) {
        pthread_t thread;
        born[started] = atomic_load_explicit(&generation, memory_order_relaxed);
        if (pthread_create(&thread, NULL, worker, (void *)(long)started) != 0) break;
        pthread_detach(thread);
        started++;
    }
    job.body = body;
    job.context = context;
    job.count = count;
    job.workers = threads - 1;
    atomic_store_explicit(&job.next, 0, memory_order_relaxed);
    atomic_store_explicit(&job.remaining, started, memory_order_relaxed);
    pthread_mutex_lock(&gate);
    atomic_fetch_add_explicit(&generation, 1, memory_order_release);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&gate);
    take_indices();
    for (int spin = 0; atomic_load_explicit(&job.remaining, memory_order_acquire) != 0; spin++) {
        if (spin < SPINS) relax(); else sched_yield();
    }
    pthread_mutex_unlock(&busy);
}
