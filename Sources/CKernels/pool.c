// A process-wide pool of worker threads.
//
// A job wants some number of workers, those with the lowest numbers. It is announced in one atomic word, `state`. A worker that sees
// the announcement enters the job by adding 1 to the word, takes indices from an atomic counter, and leaves by subtracting 1. The
// caller takes indices, too; when none is left, it closes the job, so that nobody can enter any more, and waits for the workers that
// are still inside. Workers that the job does not want, and those that were too late to enter, have no part in the handshake.
//
// After a job a worker spins briefly, because the next job usually follows at once, and then sleeps. If there are more threads than
// processors, it does not spin: it would take the processor from a thread that has work to do. The caller wakes FAN sleeping
// workers, and each of them wakes FAN others before it takes indices.
#define _GNU_SOURCE
#include "CKernels.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORKERS 255
#define SPINS 4000            // turns of a waiting loop
#define YIELDS 64             // offers of the processor to other threads, before a waiting caller sleeps
#define FAN 4
#define LINE 128              // bytes; two cache lines, because some processors fetch them in pairs

// The fields of `state`.
#define INSIDE 0xffffull          // the number of workers that have entered and not left
#define WAITING (1ull << 16)      // the caller sleeps until the last worker has left
#define WANTED (0xffull << 24)    // the number of workers that may enter; 0 if no job is open
#define JOB (1ull << 32)          // counts the jobs

static _Alignas(LINE) _Atomic uint64_t state;

// Written while no job is open and nobody is inside.
static _Alignas(LINE) struct {
    void (*body)(void *, size_t);
    void *context;
    size_t count;
    int crowded;              // whether the job has more threads than there are processors
    int measured;             // whether the times of the job are taken
} job;

static _Alignas(LINE) _Atomic size_t next_index;

typedef struct {
    _Alignas(LINE) _Atomic int asleep;
    uint32_t born;            // the number of the last job before the worker was created
    pthread_mutex_t gate;     // protects falling asleep
    pthread_cond_t wake;
    _Atomic uint64_t busy;    // nanoseconds in measured jobs
} worker_state;

static worker_state workers[MAX_WORKERS];

static _Alignas(LINE) pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;   // held by the caller whose job is running
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;                  // protects the caller's falling asleep
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static _Atomic int started;                                               // number of workers created so far; written under busy

// Measurements: sums since the start of the process. The caller's are written under busy.
static _Atomic int measuring;                                             // number of measurements that are running
static _Atomic uint64_t measured_jobs, measured_time, callers_busy;

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The one writer of a sum adds to it.
static void add(_Atomic uint64_t *sum, uint64_t amount) {
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + amount, memory_order_relaxed);
}

static int wanted(uint64_t now) { return (int)((now & WANTED) / (WANTED & -WANTED)); }

// Whether a job is open that wants the worker and is not the last one that it has seen.
static int is_for(int number, uint32_t seen, uint64_t now) { return number < wanted(now) && (uint32_t)(now / JOB) != seen; }

static void take_indices(_Atomic uint64_t *busy_time) {
    void (*body)(void *, size_t) = job.body;
    void *context = job.context;
    size_t count = job.count, i;
    uint64_t begin = job.measured ? nanoseconds() : 0;
    while ((i = atomic_fetch_add_explicit(&next_index, 1, memory_order_relaxed)) < count) body(context, i);
    if (job.measured) add(busy_time, nanoseconds() - begin);
}

// Wakes those of FAN workers that are asleep, as long as there is something to do for them.
static void wake_workers(int first, int end) {
    if (end > first + FAN) end = first + FAN;
    for (int i = first; i < end && atomic_load_explicit(&next_index, memory_order_relaxed) < job.count; i++) {
        worker_state *other = &workers[i];
        // who sets it to 0 sends the signal: one for each time that a worker falls asleep
        if (atomic_load(&other->asleep) == 0 || atomic_exchange(&other->asleep, 0) == 0) continue;
        // a worker that has seen no job under its gate waits for the signal as soon as the gate is free
        pthread_mutex_lock(&other->gate);
        pthread_mutex_unlock(&other->gate);
        pthread_cond_signal(&other->wake);
    }
}

static void await_job(worker_state *self, int number, uint32_t seen, int spins) {
    for (int spin = 0; spin < spins; spin++) {
        if (is_for(number, seen, atomic_load_explicit(&state, memory_order_relaxed))) return;
        relax();
    }
    // first asleep, then the look at the state; the caller first changes the state and then looks who is asleep
    pthread_mutex_lock(&self->gate);
    for (;;) {
        atomic_store(&self->asleep, 1);
        if (is_for(number, seen, atomic_load(&state))) break;
        pthread_cond_wait(&self->wake, &self->gate);
    }
    atomic_store(&self->asleep, 0);
    pthread_mutex_unlock(&self->gate);
}

static void *worker(void *argument) {
    worker_state *self = argument;
    int number = (int)(self - workers), spins = SPINS;
    uint32_t seen = self->born;
    for (;;) {
        await_job(self, number, seen, spins);
        uint64_t now = atomic_fetch_add(&state, 1);
        // it may be too late: then the job must not be read
        if (is_for(number, seen, now)) {
            seen = (uint32_t)(now / JOB);
            spins = job.crowded ? 0 : SPINS;
            wake_workers(FAN * (number + 1), wanted(now));
            take_indices(&self->busy);
        }
        now = atomic_fetch_sub(&state, 1);
        if ((now & WAITING) && (now & INSIDE) == 1) {
            pthread_mutex_lock(&gate);
            pthread_mutex_unlock(&gate);
            pthread_cond_signal(&finished);
        }
    }
    return NULL;
}

// Waits until nobody is inside the closed job.
static void await_workers(void) {
    for (int turn = job.crowded ? SPINS : 0; turn < SPINS + YIELDS; turn++) {
        if ((atomic_load_explicit(&state, memory_order_acquire) & INSIDE) == 0) return;
        if (turn < SPINS) relax(); else sched_yield();
    }
    pthread_mutex_lock(&gate);
    uint64_t now = atomic_fetch_or(&state, WAITING);
    while (now & INSIDE) {
        pthread_cond_wait(&finished, &gate);
        now = atomic_load(&state);
    }
    atomic_fetch_and(&state, ~WAITING);
    pthread_mutex_unlock(&gate);
}

// Creates workers until there are `count`, and returns how many there are.
static int start_workers(int count) {
    int i = atomic_load_explicit(&started, memory_order_relaxed);
    for (; i < count; i++) {
        worker_state *new = &workers[i];
        new->born = (uint32_t)(atomic_load_explicit(&state, memory_order_relaxed) / JOB);
        pthread_t thread;
        if (pthread_mutex_init(&new->gate, NULL) != 0) break;
        if (pthread_cond_init(&new->wake, NULL) != 0 || pthread_create(&thread, NULL, worker, new) != 0) {
            pthread_mutex_destroy(&new->gate);
            break;
        }
        pthread_detach(thread);
        atomic_store_explicit(&started, i + 1, memory_order_relaxed);
    }
    return i < count ? i : count;
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
    static int processors;    // protected by busy
    if (threads > MAX_WORKERS + 1) threads = MAX_WORKERS + 1;
    if (threads > 0 && (size_t)threads > count) threads = (int)count;
    if (threads <= 1 || pthread_mutex_trylock(&busy) != 0) {
        for (size_t i = 0; i < count; i++) body(context, i);
        return;
    }
    if (processors == 0) processors = swk_processor_count();
    uint64_t helpers = (uint64_t)start_workers(threads - 1);
    job.body = body;
    job.context = context;
    job.count = count;
    job.crowded = threads > processors;
    job.measured = atomic_load_explicit(&measuring, memory_order_relaxed) > 0;
    uint64_t begin = job.measured ? nanoseconds() : 0;
    atomic_store_explicit(&next_index, 0, memory_order_relaxed);
    // workers that come too late for the last job may be passing through: the word is added to, not replaced
    atomic_fetch_add(&state, JOB + helpers * (WANTED & -WANTED));
    wake_workers(0, (int)helpers);
    take_indices(&callers_busy);
    if (atomic_fetch_and(&state, ~WANTED) & INSIDE) await_workers();
    if (job.measured) {
        add(&measured_jobs, 1);
        add(&measured_time, nanoseconds() - begin);
    }
    pthread_mutex_unlock(&busy);
}

uintptr_t swk_thread(void) {
    static _Thread_local char own;
    return (uintptr_t)&own;
}

void swk_measure_pool(int on) { atomic_fetch_add(&measuring, on ? 1 : -1); }

int swk_pool_times(swk_pool_sums *sums, uint64_t *busy_times, int capacity) {
    sums->jobs = atomic_load_explicit(&measured_jobs, memory_order_relaxed);
    sums->nanoseconds = atomic_load_explicit(&measured_time, memory_order_relaxed);
    int threads = atomic_load_explicit(&started, memory_order_relaxed) + 1;
    for (int i = 0; i < threads && i < capacity; i++)
        busy_times[i] = atomic_load_explicit(i == 0 ? &callers_busy : &workers[i - 1].busy, memory_order_relaxed);
    return threads;
}
