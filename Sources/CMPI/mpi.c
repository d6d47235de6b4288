#include "CMPI.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_BUILT (-1)
#define NO_THREADS (-2)
#define NO_MEMORY (-3)

#ifdef SWK_MPI
#include <mpi.h>

// MPI counts in int, so larger parts travel in pieces.
#define PIECE ((size_t)1 << 30)

int swk_mpi_is_built(void) { return 1; }

int swk_mpi_begin(int *rank, int *size) {
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

int swk_mpi_exchange(int rank, int size, const swk_mpi_part *send, const swk_mpi_part *receive) {
    if (send[rank].count > 0) memcpy(receive[rank].bytes, send[rank].bytes, send[rank].count);
    size_t most = pieces(send, rank, size) + pieces(receive, rank, size);
    if (most == 0) return MPI_SUCCESS;
    MPI_Request *requests = malloc(most * sizeof *requests);
    if (requests == NULL) return NO_MEMORY;
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
    if (code == MPI_SUCCESS) code = MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
    free(requests);
    return code;
}

int swk_mpi_end(void) { return MPI_Finalize(); }

void swk_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

static void library_message(int code, char *text, size_t capacity) {
    char message[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
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
    default: library_message(code, text, capacity);
    }
}
