// for nanosleep in a compiler mode that has only standard C
#define _POSIX_C_SOURCE 200809L

#include "CMPI.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_BUILT (-1)
#define NO_THREADS (-2)
#define NO_MEMORY (-3)
#define NOT_RUNNING (-4)
#define UNEQUAL (-5)

#ifdef SWK_MPI
#include <mpi.h>
#include <time.h>

// An exchange of parts up to this size takes long only if a rank is late.
#define SMALL ((size_t)64 << 10)
// How long a thread keeps its processor busy while it waits for a rank, in seconds, and how long it then sleeps at a time.
#define BUSY 1e-3
static const struct timespec NAP = {0, 100 * 1000};

// MPI counts in int, so larger parts travel in pieces.
#define PIECE ((size_t)1 << 30)

int swk_mpi_is_built(void) { return 1; }

// Outside of begin and end, most MPI functions end the process.
static int is_running(void) {
    int started = 0, ended = 0;
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    return started && !ended;
}

int swk_mpi_begin(int *rank, int *size) {
    int started = 0;
    MPI_Initialized(&started);  // stays true after the end
    if (started) return NOT_RUNNING;
    int provided = MPI_THREAD_SINGLE;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
    if (code != MPI_SUCCESS) return code;
    if (provided < MPI_THREAD_SERIALIZED) return NO_THREADS;
    code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(MPI_COMM_WORLD, size);
    return code;
}

static size_t pieces(const swk_mpi_part *parts, int rank, int size) {
    size_t total = 0;
    for (int k = 0; k < size; k++)
        if (k != rank) total += (parts[k].count + PIECE - 1) / PIECE;
    return total;
}

static int is_small(const swk_mpi_part *parts, int rank, int size) {
    for (int k = 0; k < size; k++)
        if (k != rank && parts[k].count > SMALL) return 0;
    return 1;
}

// Waits for all requests. MPI_Waitall keeps a processor busy, which moves large parts fast. A thread that waits for a late rank leaves
// the processor to the computation of another thread.
static int wait_all(int count, MPI_Request *requests, MPI_Status *statuses, int naps) {
    if (!naps) return MPI_Waitall(count, requests, statuses);
    double begin = MPI_Wtime();
    for (;;) {
        int done = 0, code = MPI_Testall(count, requests, &done, statuses);
        if (code != MPI_SUCCESS || done) return code;
        if (MPI_Wtime() - begin > BUSY) nanosleep(&NAP, NULL);
    }
}

int swk_mpi_exchange(int rank, int size, const swk_mpi_part *send, const swk_mpi_part *receive) {
    if (!is_running()) return NOT_RUNNING;
    if (send[rank].count != receive[rank].count) return UNEQUAL;
    if (send[rank].count > 0) memcpy(receive[rank].bytes, send[rank].bytes, send[rank].count);
    size_t most = pieces(send, rank, size) + pieces(receive, rank, size);
    if (most == 0) return MPI_SUCCESS;
    MPI_Request *requests = malloc(most * sizeof *requests);
    MPI_Status *statuses = malloc(most * sizeof *statuses);
    if (requests == NULL || statuses == NULL) return free(requests), free(statuses), NO_MEMORY;
    int count = 0, code = MPI_SUCCESS;
    // the pieces of a pair of ranks have one tag and arrive in the order in which they are sent
    for (int step = 1; step < size && code == MPI_SUCCESS; step++) {
        int from = (rank + size - step) % size;
        for (size_t at = 0; at < receive[from].count && code == MPI_SUCCESS; at += PIECE) {
            size_t left = receive[from].count - at;
            code = MPI_Irecv((char *)receive[from].bytes + at, (int)(left < PIECE ? left : PIECE), MPI_BYTE, from, 0, MPI_COMM_WORLD,
                             &requests[count]);
            if (code == MPI_SUCCESS) count++;
        }
    }
    for (int step = 1; step < size && code == MPI_SUCCESS; step++) {
        int to = (rank + step) % size;
        for (size_t at = 0; at < send[to].count && code == MPI_SUCCESS; at += PIECE) {
            size_t left = send[to].count - at;
            code = MPI_Isend((const char *)send[to].bytes + at, (int)(left < PIECE ? left : PIECE), MPI_BYTE, to, 0, MPI_COMM_WORLD,
                             &requests[count]);
            if (code == MPI_SUCCESS) count++;
        }
    }
    if (code == MPI_SUCCESS)
        code = wait_all(count, requests, statuses, is_small(send, rank, size) && is_small(receive, rank, size));
    if (code == MPI_ERR_IN_STATUS)
        for (int k = 0; k < count && code == MPI_ERR_IN_STATUS; k++)
            if (statuses[k].MPI_ERROR != MPI_SUCCESS && statuses[k].MPI_ERROR != MPI_ERR_PENDING) code = statuses[k].MPI_ERROR;
    // a message that is too short is no error for MPI
    int k = 0;
    for (int step = 1; step < size && code == MPI_SUCCESS; step++) {
        size_t all = receive[(rank + size - step) % size].count;
        for (size_t at = 0; at < all && code == MPI_SUCCESS; at += PIECE, k++) {
            int got = 0;
            code = MPI_Get_count(&statuses[k], MPI_BYTE, &got);
            if (code == MPI_SUCCESS && (size_t)got != (all - at < PIECE ? all - at : PIECE)) code = UNEQUAL;
        }
    }
    free(requests);
    free(statuses);
    return code;
}

int swk_mpi_end(void) { return is_running() ? MPI_Finalize() : NOT_RUNNING; }

void swk_mpi_abort(int status) {
    if (is_running()) MPI_Abort(MPI_COMM_WORLD, status);
    exit(status);
}

static void library_message(int code, char *text, size_t capacity) {
    char message[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
    if (!is_running()) {
        snprintf(text, capacity, "error %d", code);
        return;
    }
    if (MPI_Error_string(code, message, &length) != MPI_SUCCESS) length = 0;
    snprintf(text, capacity, "%.*s", length, message);
}

#else

int swk_mpi_is_built(void) { return 0; }

int swk_mpi_begin(int *rank, int *size) {
    *rank = 0;
    *size = 1;
    return NOT_BUILT;
}

int swk_mpi_exchange(int rank, int size, const swk_mpi_part *send, const swk_mpi_part *receive) {
    (void)rank, (void)size, (void)send, (void)receive;
    return NOT_BUILT;
}

int swk_mpi_end(void) { return NOT_BUILT; }

void swk_mpi_abort(int status) { exit(status); }

static void library_message(int code, char *text, size_t capacity) { snprintf(text, capacity, "error %d", code); }

#endif

void swk_mpi_message(int code, char *text, size_t capacity) {
    switch (code) {
    case NOT_BUILT: snprintf(text, capacity, "this build has no MPI"); break;
    case NO_THREADS: snprintf(text, capacity, "this MPI does not allow calls from several threads (MPI_THREAD_SERIALIZED)"); break;
    case NO_MEMORY: snprintf(text, capacity, "there is no memory for the list of messages"); break;
    case NOT_RUNNING: snprintf(text, capacity, "MPI is not running, or was started before"); break;
    case UNEQUAL: snprintf(text, capacity, "the ranks do not agree on the length of a message"); break;
    default: library_message(code, text, capacity);
    }
}
