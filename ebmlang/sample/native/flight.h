/* Many iterations of many chains: what comes in and goes out. */

/* Rows of chains to lanes and back. Lanes past the last chain of a block repeat it. */
static inline void take_rows(const real *rows, int64_t width, place p, vec *restrict to) {
  real(*out)[LANES] = (real(*)[LANES])to;
  for (int64_t l = 0; l < LANES; l++) {
    const real *row = rows + (p.first + (l < p.count ? l : p.count - 1)) * width;
    for (int64_t i = 0; i < width; i++) out[i][l] = row[i];
  }
}

static inline void put_rows(const vec *restrict from, int64_t width, place p, int64_t stride,
                            real *rows) {
  const real(*in)[LANES] = (const real(*)[LANES])from;
  for (int64_t l = 0; l < p.count; l++)
    for (int64_t i = 0; i < width; i++) rows[(p.first + l) * stride + i] = in[i][l];
}

/* Remember where chains are that diverged: the first ones, by iteration and then by chain. */
static void note(const flight *f, const block *b, int64_t iteration, const vec *where,
                 int64_t *noted) {
  const real(*x)[LANES] = (const real(*)[LANES])where;
  const narrow_int *diverged = (const narrow_int *)&b->diverged;
  for (int64_t l = 0; l < b->where.count; l++) {
    if (!diverged[l]) continue;
    int64_t chain = b->where.first + l, slot = *noted;
    while (slot > 0 && (f->noted_at[2 * slot - 2] > iteration ||
                        (f->noted_at[2 * slot - 2] == iteration && f->noted_at[2 * slot - 1] > chain)))
      slot--;
    if (slot >= f->most_noted) continue;
    int64_t last = *noted < f->most_noted ? (*noted)++ : f->most_noted - 1;
    for (int64_t s = last; s > slot; s--) {
      memcpy(f->noted_at + 2 * s, f->noted_at + 2 * s - 2, 2 * sizeof(int64_t));
      memcpy(f->noted + s * PACKED, f->noted + (s - 1) * PACKED, PACKED * sizeof(real));
    }
    f->noted_at[2 * slot] = iteration;
    f->noted_at[2 * slot + 1] = chain;
    for (int64_t i = 0; i < PACKED; i++) f->noted[slot * PACKED + i] = x[i][l];
  }
}

/* What a draw sums up, of each lane. */
typedef struct {
  vec acceptance;
  ivec moved, diverged, infeasible, gradients;
} tally;

/* Numbers of the chains of a block, side by side; of a full block without a loop. */
INLINE void put(const void *lanes, size_t size, place p, void *to) {
  if (p.count == LANES)
    memcpy(to, lanes, LANES * size);
  else
    memcpy(to, lanes, (size_t)p.count * size);
}

/* Write a draw where it belongs. */
static void tell(const flight *f, block *b, const tally *sum, int64_t draw) {
  place p = b->where;
  int64_t at = draw * f->chains + p.first;
  const ivec counts[3] = {sum->diverged, sum->infeasible, sum->gradients};
  int32_t *counted[3] = {f->diverged, f->infeasible, f->gradients};
  vec thin = splat((real)f->thin), acceptance = sum->acceptance / thin;
  vec moved = count_to_real(sum->moved) / thin;
  if (f->points) { /* else only the state is asked for */
    const vec *x = written(f, HERE(b));
    for (int64_t i = 0; i < PACKED; i++)
      put(x + i, sizeof(real), p, f->points + (draw * PACKED + i) * f->chains + p.first);
    put(&HERE(b)->energy, sizeof(real), p, f->energies + at);
  }
  put(&acceptance, sizeof(real), p, f->acceptances + at);
  put(&moved, sizeof(real), p, f->moved + at);
  put(b->hamiltonian, sizeof(double), p, f->hamiltonians + at);
  for (int c = 0; c < 3; c++) {
    int32_t narrowed[LANES] ALIGNED;
    EACH_LANE narrowed[l] = (int32_t)((const narrow_int *)&counts[c])[l];
    put(narrowed, sizeof(int32_t), p, counted[c] + at);
  }
}

/* Which chains the blocks hold that move side by side, from the block `number` on. Returns how many
   there are; those past the last repeat it, and what happens to them is not told. */
static int place_blocks(const flight *f, block *b, int64_t number, int64_t end) {
  EACH_BLOCK {
    int64_t at = LEAST(number + w, end - 1);
    b[w].where.first = f->blocks[at];
    b[w].where.count = f->blocks[at + 1] - f->blocks[at];
  }
  return (int)LEAST(BLOCKS, end - number);
}

static void enter(const flight *f, block *b) {
  place p = b->where;
  b->where.metric = f->metric_group[p.first];
  b->where.warp = f->warp_group[p.first];
  int64_t last = p.first + p.count - 1;
  b->here = b->points, b->there = b->points + 1;
  take_rows(f->position, DIM, p, plain_q(f, HERE(b)));
  take_rows(f->gradient, DIM, p, plain_slope(f, HERE(b)));
  if (!PLAIN) take_rows(f->point, PACKED, p, HERE(b)->x);
  take_rows(f->energy, 1, p, &HERE(b)->energy);
  take_rows(f->log_jacobian, 1, p, &HERE(b)->log_jacobian);
  take_rows(f->step_size, 1, p, &b->step_size);
  if (f->rule == PERSISTENT) {
    take_rows(f->momentum, DIM, p, b->momentum);
    take_rows(f->renewal, 1, p, &b->renewal);
  }
  for (int64_t l = 0; l < LANES; l++) {
    int64_t chain = p.first + l < last ? p.first + l : last;
    b->numbers[l] = (uint32_t)f->numbers[chain];
    b->level[l] = f->rule == PERSISTENT ? f->level[chain] : 0;
    b->drift[l] = f->rule == PERSISTENT ? f->drift[chain] : 0;
    const int64_t group = f->metric_group[chain];
    for (int64_t i = 0; i < DIM; i++) {
      ((real *)(b->used + i))[l] = f->used[group * DIM + i];
      if (f->metric == DIAGONAL) ((real *)(b->scale + i))[l] = f->scale[group * DIM + i];
    }
  }
}

static void leave(const flight *f, block *b) {
  place p = b->where;
  put_rows(plain_q(f, HERE(b)), DIM, p, DIM, f->position);
  put_rows(plain_slope(f, HERE(b)), DIM, p, DIM, f->gradient);
  put_rows(written(f, HERE(b)), PACKED, p, PACKED, f->point);
  put_rows(&HERE(b)->energy, 1, p, 1, f->energy);
  put_rows(&HERE(b)->log_jacobian, 1, p, 1, f->log_jacobian);
  if (f->rule == PERSISTENT) put_rows(b->momentum, DIM, p, DIM, f->momentum);
  for (int64_t l = 0; l < p.count; l++) {
    if (f->rule == PERSISTENT) f->level[p.first + l] = b->level[l];
    if (f->faithful) f->faithful[p.first + l] = ((real *)&b->faithful)[l];
  }
}

/* All iterations of the blocks that move side by side. */
static void fly_blocks(const flight *f, block *b, int64_t number, int64_t end, int64_t *noted) {
  const int many = place_blocks(f, b, number, end);
  EACH_BLOCK enter(f, b + w);
  for (int64_t draw = 0; draw < f->draws; draw++) {
    tally sums[BLOCKS];
    memset(sums, 0, sizeof sums);
    for (int64_t repetition = 0; repetition < f->thin; repetition++) {
      int64_t iteration = f->first_iteration + draw * f->thin + repetition;
      move(f, b, (uint32_t)iteration, repetition == f->thin - 1);
      EACH_BLOCK {
        block *one = b + w;
        tally *sum = sums + w;
#if !ON_DEVICE /* there no point is kept */
        if (is_any(one->diverged) && w < many)
          note(f, one, iteration, began_at(f, one), noted);
#endif
        sum->acceptance += one->acceptance;
        sum->moved = sum->moved - one->accepted;
        sum->diverged = sum->diverged - one->diverged;
        sum->infeasible = sum->infeasible - one->infeasible;
        sum->gradients = sum->gradients + one->gradients;
      }
    }
    for (int w = 0; w < many; w++) tell(f, b + w, sums + w, f->column + draw);
  }
  for (int w = 0; w < many; w++) leave(f, b + w);
}

static void look_at_blocks(const flight *f, block *b, int64_t number, int64_t end) {
  const int many = place_blocks(f, b, number, end);
  point *points[BLOCKS];
  EACH_BLOCK points[w] = b[w].points;
  EACH_BLOCK take_rows(f->position, DIM, b[w].where, points[w]->at);
  evaluate(f, b, points);
  for (int w = 0; w < many; w++) {
    point *p = points[w];
    place at = b[w].where;
    put_rows(p->slope, DIM, at, DIM, f->gradient);
    put_rows(written(f, p), PACKED, at, PACKED, f->point);
    put_rows(&p->energy, 1, at, 1, f->energy);
    put_rows(&p->log_jacobian, 1, at, 1, f->log_jacobian);
  }
}

#if ON_DEVICE
extern "C" __global__ void look(const flight *f, int blocks) {
  int64_t number = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (number >= blocks) return;
  block b;
  look_at_blocks(f, &b, number, blocks);
}

/* Each thread moves one block, which is one chain. */
extern "C" __global__ void fly(const flight *f, int blocks) {
  int64_t number = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, noted = 0;
  if (number >= blocks) return;
  block b;
  struct trajectory more;
  b.trajectory = &more;
  fly_blocks(f, &b, number, blocks, &noted);
}
#else
/* Zeros, so that nothing depends on what was in memory before. */
static void *make_room(size_t bytes) {
  size_t whole = (bytes + 63) / 64 * 64;
  void *room = aligned_alloc(64, whole);
  return room ? memset(room, 0, whole) : room;
}

/* Move the blocks from `begin` up to `end`. Returns how many divergences were noted, or -1 where
   there was no memory. */
int64_t fly(const flight *f, int64_t begin, int64_t end) {
  block *b = make_room(BLOCKS * sizeof(block));
  struct trajectory *more = make_room(BLOCKS * sizeof(struct trajectory));
  int64_t noted = b && more ? 0 : -1;
  if (b && more) {
    EACH_BLOCK b[w].trajectory = more + w;
    for (int64_t number = begin; number < end; number += BLOCKS)
      fly_blocks(f, b, number, end, &noted);
  }
  free(more);
  free(b);
  return noted;
}

/* Evaluate the density at the positions of the blocks from `begin` up to `end`. */
int64_t look(const flight *f, int64_t begin, int64_t end) {
  block *b = make_room(BLOCKS * sizeof(block));
  if (!b) return -1;
  for (int64_t number = begin; number < end; number += BLOCKS) look_at_blocks(f, b, number, end);
  free(b);
  return 0;
}
#endif
