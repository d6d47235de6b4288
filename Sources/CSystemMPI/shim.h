// The system's MPI, as Debian's libopenmpi-dev installs it. Only builds with the package trait MPI use it.
#pragma once
#include <mpi.h>
