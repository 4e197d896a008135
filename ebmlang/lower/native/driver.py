"""The function that Python calls: all chains, block by block, over one thread or several.

A block's points are turned so that lanes come last, its results back. The last block of chains is
filled up with copies of its last chain, whose results go nowhere.
"""

from collections.abc import Sequence

from ebmlang.lower.native.emit import NativeProgram

_TEXT = """
/* A row that the next block reads or writes. */
#define FETCH(row, width, written)                                     \\
  for (int64_t i = 0; i < (width); i += 64 / (int64_t)sizeof(real)) \\
    __builtin_prefetch((row) + i, written);

typedef struct {{
  int64_t first, last;
  const real *x;
  const void *const *shared;
  const real *const *rows;
  real *const *out;
}} {name}_share;

static void *{name}_blocks(void *given) {{
  const {name}_share *share = given;
  const int64_t reals = {name}_SCRATCH + ({dim} + {row} + {total} + 1) * LANES;
  real *const room = aligned_alloc(64, sizeof(real) * reals);
  if (!room) return (void *)1;
  real *const xs = room + {name}_SCRATCH, *const rs = xs + {dim} * LANES;
  real *const os = rs + {row} * LANES;
  const real *const rows[] = {{{row_pointers}}};
  real *const out[] = {{{out_pointers}}};
  const inputs in = {{share->shared, rows}};
  for (int64_t c = share->first; c < share->last; c += LANES) {{
    const int64_t lanes = share->last - c < LANES ? share->last - c : LANES;
    for (int64_t l = 0; l < LANES; l++) {{
      const real *const point = share->x + (c + (l < lanes ? l : lanes - 1)) * {dim};
      FETCH(point + LANES * {dim}, {dim}, 0)
      for (int64_t d = 0; d < {dim}; d++) xs[d * LANES + l] = point[d];
    }}
{read_rows}
    {name}(xs, &in, out, room);
{write_results}
  }}
  free(room);
  return 0;
}}

int {name}_run(int64_t chains, int64_t threads, const real *x, const void *const *shared,
    const real *const *rows, real *const *out) {{
  const int64_t blocks = (chains + LANES - 1) / LANES;
  if (threads > blocks) threads = blocks;
  if (threads < 2) {{
    {name}_share all = {{0, chains, x, shared, rows, out}};
    return {name}_blocks(&all) != 0;
  }}
  {name}_share shares[threads];
  pthread_t others[threads];
  int started[threads], failed = 0;
  for (int64_t i = 0; i < threads; i++) {{
    const int64_t first = i * blocks / threads * LANES;
    const int64_t last = (i + 1) * blocks / threads * LANES;
    shares[i] = ({name}_share){{first, last < chains ? last : chains, x, shared, rows, out}};
    started[i] = i + 1 < threads && !pthread_create(others + i, 0, {name}_blocks, shares + i);
  }}
  for (int64_t i = 0; i < threads; i++) {{
    void *answer = 0;
    if (started[i]) pthread_join(others[i], &answer);
    else answer = {name}_blocks(shares + i);
    failed |= answer != 0;
  }}
  return failed;
}}
"""

HEAD = "#include <pthread.h>\n#include <stdlib.h>\n"


def write_driver(
    program: NativeProgram, dim: int, row_sizes: Sequence[int], groups: Sequence[Sequence[int]]
) -> str:
    """Return the C text of `NAME_run`.

    Args:
        program: The function of a block.
        dim: The length of a packed point.
        row_sizes: How many elements each of the data by row has.
        groups: Which outputs make up each result, one behind the other.
    """
    starts, start = [0] * len(program.sizes), 0
    results = []
    for place, group in enumerate(groups):
        first = start
        for output in group:
            starts[output] = start
            start += program.sizes[output]
        size = start - first
        results.append(
            f"    for (int64_t l = 0; l < lanes; l++) {{\n"
            f"      real *const row = share->out[{place}] + (c + l) * {size};\n"
            f"      FETCH(row + LANES * {size}, {size}, 1)\n"
            f"      for (int64_t d = 0; d < {size}; d++) row[d] = os[({first} + d) * LANES + l];\n"
            f"    }}"
        )
    rows, begin, reading = [], 0, []
    for place, size in enumerate(row_sizes):
        rows.append(f"rs + {begin} * LANES")
        reading.append(
            f"    for (int64_t l = 0; l < LANES; l++)\n"
            f"      for (int64_t d = 0; d < {size}; d++)\n"
            f"        rs[({begin} + d) * LANES + l] =\n"
            f"          share->rows[{place}][(c + (l < lanes ? l : lanes - 1)) * {size} + d];"
        )
        begin += size
    return _TEXT.format(
        name=program.name,
        dim=dim,
        row=begin,
        total=start,
        row_pointers=", ".join(rows) or "0",
        out_pointers=", ".join(f"os + {first} * LANES" for first in starts) or "0",
        read_rows="\n".join(reading),
        write_results="\n".join(results),
    )
