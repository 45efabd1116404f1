"""executors: who does the work; every executor gives the same results, the serial one is the specification.

One file for each way: this thread, threads, processes of this machine, SLURM jobs, a scheduler by its address.
"""
