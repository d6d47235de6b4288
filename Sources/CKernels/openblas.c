// Prevents OpenBLAS from starting threads.
//
// OpenBLAS's load-time constructor starts one thread per processor. It takes the number of threads from this function, which
// OpenBLAS exports. The linker gives the program's definition precedence over the library's, so the answer is one before any code
// of the program runs. Threads that have been started cannot be removed: if memory is limited, each of them retries to map its
// 128 MB forever, and exit() waits for it. To use OpenBLAS's threads, call openblas_set_num_threads later.
int openblas_num_threads_env(void);
int openblas_num_threads_env(void) { return 1; }
