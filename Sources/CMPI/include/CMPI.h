// The part of MPI that the package uses. It is compiled in with the package trait MPI; without it, swk_mpi_is_built returns 0 and
// every other function fails.
//
// Functions that return an int return 0, or an error code for swk_mpi_message.
#pragma once
#include <stddef.h>

// Bytes that go to one rank, or come from one.
typedef struct {
    void *bytes;
    size_t count;
} swk_mpi_part;

// Whether this build contains MPI.
int swk_mpi_is_built(void);

// Starts MPI. Any thread may call the functions afterwards, but only one at a time.
int swk_mpi_begin(int *rank, int *size);

// Sends `send[k]` to each rank k and receives `receive[k]` from it. All ranks call it; the counts of both sides must agree. The
// part of the own rank is copied.
int swk_mpi_exchange(int rank, int size, const swk_mpi_part *send, const swk_mpi_part *receive);

// Ends MPI. All ranks call it.
int swk_mpi_end(void);

// Ends all processes with an exit status.
void swk_mpi_abort(int status);

// Writes the message of an error code as a string of at most `capacity` bytes with its final 0.
void swk_mpi_message(int code, char *text, size_t capacity);
