"""Speed beside hand-written torch and JAX: one kit, each target defined once.

    python -m benchmarks.speed energies steps                    # two measures, ours and torch
    python -m benchmarks.speed --peers /path/to/python --json found.json
    python -m benchmarks.speed --targets ring --sizes 4 64 --rounds 3

| module | what it has |
| --- | --- |
| `targets` | the energies, as specs and as numbers |
| `torch_forms`, `jax_forms` | the same, written by hand as an expert would |
| `worker` | a process that holds candidates and times them when asked |
| `rounds` | candidates of several processes in turn, on one core |
| `measures`, `starting` | what is measured |
| `report` | tables in Markdown |

Draws per second are measured by `benchmarks/peers.py`, time to an optimum by `solvers.py`, and what
one GPU does by `gpu.py`.

Times are CPU seconds on one core; each figure is a median over rounds in which all candidates took
turns, with its spread, so that ratios hold where absolute figures move with the machine.
"""
