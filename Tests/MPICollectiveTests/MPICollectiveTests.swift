import MPICollective
import Testing
import Train

@Suite struct MPICollectiveTests {
    @Test("the launcher's variables give the number of processes")
    func launchers() {
        #expect(MPICollective.launchedProcesses(in: [:]) == nil)
        #expect(MPICollective.launchedProcesses(in: ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"]) == 4)
        #expect(MPICollective.launchedProcesses(in: ["PMI_RANK": "0", "PMI_SIZE": "3"]) == 3)
        #expect(MPICollective.launchedProcesses(in: ["PMIX_RANK": "2", "SLURM_NTASKS": "8"]) == 8)
        // a batch job of Slurm that starts one program by itself
        #expect(MPICollective.launchedProcesses(in: ["SLURM_NTASKS": "8"]) == nil)
        // srun without --mpi=pmix
        #expect(MPICollective.separateProcesses(in: ["SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8"]) == 8)
        #expect(MPICollective.separateProcesses(in: ["SLURM_NTASKS": "1", "SLURM_STEP_NUM_TASKS": "1"]) == nil)
        #expect(MPICollective.separateProcesses(in: ["SLURM_NTASKS": "8"]) == nil)
        #expect(MPICollective.separateProcesses(in: ["PMIX_RANK": "2", "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8"]) == nil)
    }

    @Test("the launcher's variables give the number of this process")
    func rank() {
        #expect(MPICollective.launchedRank(in: [:]) == nil)
        #expect(MPICollective.launchedRank(in: ["OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "0"]) == 1)
        #expect(MPICollective.launchedRank(in: ["PMI_RANK": "2"]) == 2)
        #expect(MPICollective.launchedRank(in: ["PMIX_RANK": "3", "SLURM_NTASKS": "8"]) == 3)
    }

    @Test("a build without MPI says so", .enabled(if: !MPICollective.isBuilt))
    func unavailable() {
        let error = #expect(throws: CollectiveError.self) { try MPICollective.begin() }
        #expect(
            error.map { "\($0)" }
                == "this program was built without MPI; build it with `make build MPI=1`, or start it without mpirun")
    }
}
