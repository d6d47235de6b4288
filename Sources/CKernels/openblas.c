// OpenBLAS starts no threads of its own.
//
// Its load-time constructor starts one for every processor, and asks this function, which OpenBLAS exports, how many the user wants.
// The linker lets a definition of the program come before the library's, so the answer is one, before any code of the program runs.
// Threads that are started all the same cannot be got rid of: where memory is limited each tries for ever to map its 128 MB, and exit()
// waits for it. Whoever needs OpenBLAS's threads calls openblas_set_num_threads later, as ever.
int openblas_num_threads_env(void);
int openblas_num_threads_env(void) { return 1; }
