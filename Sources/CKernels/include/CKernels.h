// The CPU kernels behind the Tensor module: plain C functions over row-major float arrays.
//
// WHAT IS BUILT. The kernels are written once, in the `.inc.h` files, and compiled three times; five tables of functions come of it:
//
//   table                   file        level          differs from the table above it
//   swk_portable_table      portable.c  SWK_PORTABLE   what the compiler's baseline offers: SSE2 on x86-64, NEON on arm64
//   swk_avx2_table          avx2.c      SWK_AVX2       AVX2, FMA and F16C: 8 floats a register, masked loads
//   swk_avx512_table        avx512.c    SWK_AVX512     AVX-512 F, BW, DQ and VL: 16 floats a register, wider tiles
//   swk_avx512_bf16_table   avx512.c    SWK_AVX512     bf16_product with the instruction for pairs of AVX-512-BF16
//   swk_amx_table           avx512.c    SWK_AMX        bf16_product in tile registers, and the three split_ functions
//
// Off x86-64 the first table is all there is. Kernels for another instruction set are one more file like avx2.c, which includes
// table.inc.h under its own names, one more level, and a line in dispatch.c; on another processor its level may be the best.
//
// HOW ONE IS CHOSEN (dispatch.c). `swk_best_level()` asks the processor, and, for tile registers, the system; `swk_kernels(level)` returns the
// table of that level or NULL, and for SWK_AVX512 the better of its two. Nothing is chosen at compile time and nothing
// by environment variables. Tests run all levels up to the best; AVX-512 without BF16 runs on processors that lack it alone.
//
// RULES FOR ALL KERNELS
// - Matrices are row-major and dense unless a stride is named. Sizes and strides are `size_t` counts of elements, never bytes, and need be
//   no multiple of anything. Rows and columns may be 0; the depth of a product with a packed matrix is not, nor the width of a row.
// - Arrays are aligned like their elements: 4 bytes for float and uint32_t, 2 for uint16_t. 64 are faster.
// - Nothing beyond the named extents is read or written, unless it is said (`bf16_product`). Asking for what lies there is no reading.
// - Elementwise kernels, softmax and dropout may write over an input of the same shape. Products may not: C is neither A nor B.
// - Nothing allocates, keeps state or checks its arguments (the Swift side does). All of them can run on several threads at once.
// - The order of every sum depends on the sizes that it runs over, never on the rows or columns beside it: how callers cut their work does
//   not show in the bits. Different levels round differently.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What a processor can run, in ascending order: each can do what those before it do.
typedef enum { SWK_PORTABLE = 0, SWK_AVX2 = 1, SWK_AVX512 = 2, SWK_AMX = 3 } swk_level;

/// The commit that was built; empty where the build did not say.
const char *swk_commit(void);

/// A function of every element that follows a product.
typedef enum { SWK_IDENTITY = 0, SWK_RELU = 1, SWK_GELU_ERF = 2, SWK_GELU_TANH = 3 } swk_activation;

/// A run of consecutive queries of one sequence, and the key rows that they may look at: all `prefix_count` rows from
/// `prefix_begin`, then the rows from `key_begin` up to and including `key_first + j` for query j; where `sees_all` is not 0, up to
/// and including `key_first + query_count - 1` for every query.
typedef struct {
    size_t query_begin, query_count;
    size_t key_begin, key_first;
    size_t prefix_begin, prefix_count;
    size_t sees_all;
} swk_segment;

/// What rows of A are rounded up to where bf16_product reads them.
#define SWK_ROW_BLOCK 16

/// The most queries of one segment and one key/value head that are few: their keys are used as they lie.
#define SWK_FEW_QUERIES 4

// How f32_product reads packed panels: the rows and the panels that it uses at a time, 768 KiB, stay in the second-level cache while so many
// rows of A after so many are multiplied by them. Whoever packs what is used once should pack no more than that.
#define SWK_PANEL_DEPTH 1024
#define SWK_PANEL_GROUP 3
#define SWK_GROUP_ROWS 24

// How split_product reads its arrays: tiles of 16 rows or columns by 32 numbers of depth, each of so many pairs of bfloat16 numbers, and as
// much of the depth at a time as leaves a group of panels in the second-level cache.
#define SWK_SPLIT_TILE 768
#define SWK_SPLIT_DEPTH 384

/// Which numbers dropout sets to zero: those whose 32 random bits are below `threshold`. Number t of row r has word t % 4 of block
/// r * 2^32 + t / 4 of a Philox 4x32-10 generator. The others are multiplied by `scale`.
typedef struct {
    uint32_t key0, key1;
    uint64_t stream;
    uint32_t threshold; // 0: nothing is dropped
    float scale;
    const size_t *rows; // r of every row of the array that is dropped from (for attention: of every query)
} swk_dropout;

/// The arrays of one attention call: queries and outputs [R, heads*dim], keys and values [T, kv_heads*dim].
typedef struct {
    const float *queries, *keys, *values;
    const uint16_t *narrow_keys, *narrow_values; // bfloat16 instead of keys and values, for attention_few alone; or NULL
    size_t query_stride, key_stride, value_stride, out_stride;
    size_t heads, kv_heads, dim;
    float scale;
    size_t window;           // a query sees that many keys at most, itself included: the nearest ones; 0 for all. Causal segments alone
    float cap;               // scores are cap * tanh(scale * q k / cap); 0 for none
    const float *slopes;     // [heads]: ALiBi, slope * (key's place - query's place) is added to scores; NULL for none. Never with cap
    size_t neighbourhood;    // a query sees the keys whose distance is below that, on both sides; 0 for all. Segments that see all, alone
    // What depends on the distance of key and query, where segments see all and every query head has its own key head. Columns or rows
    // `relative_reach` + key's place - query's place count; the reach is at least the most keys of a segment - 1.
    size_t relative_reach;
    const float *relative_bias;    // [heads, 2 * reach + 1]: added to scores; NULL for none
    const float *relative_keys;    // [2 * reach + 1, heads*dim]: their products with the query are added to q k; NULL for none
    const float *relative_queries; // the same, of their products with the key
    swk_dropout dropout;     // of the weights of keys; r is that of the query * heads + head
    float *out;              // [R, heads*dim]
    float *log_sum_exp;      // [R, heads]; NULL when no backward pass will follow
    // backward only
    const float *d_out;      // [R, heads*dim], stride out_stride
    float *d_queries;        // [R, heads*dim], dense; written
    float *d_keys, *d_values; // [T, kv_heads*dim], dense; added to
} swk_attention;

typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float correction1, correction2; // 1 - beta^t
    float gradient_scale;           // multiplies every gradient first (clipping, accumulation)
} swk_adam;

/// The kernels of one build.
///
/// Letters: R rows, W width of a row, M x N the result of a product and K its depth. "+=" adds to what is there; everything else is written.
typedef struct {
    const char *name; // for messages: both tables of SWK_AVX512 have the same
    int is_wide; // whether its vectors have 512 bits

    // Elementwise over n numbers: all arrays are [n].
    void (*add)(size_t n, const float *a, const float *b, float *out);
    void (*subtract)(size_t n, const float *a, const float *b, float *out);
    void (*multiply)(size_t n, const float *a, const float *b, float *out);
    void (*scale_add)(size_t n, float s, const float *x, float *acc);          // acc += s * x
    void (*scale)(size_t n, float s, const float *x, float *out);
    void (*exponential)(size_t n, const float *x, float *out);
    void (*tanh_forward)(size_t n, const float *x, float *out);
    void (*relu)(size_t n, const float *x, float *out);
    void (*relu_backward)(size_t n, const float *x, const float *dy, float *dx);
    void (*gelu_erf)(size_t n, const float *x, float *out);
    void (*gelu_erf_backward)(size_t n, const float *x, const float *dy, float *dx);
    void (*gelu_tanh)(size_t n, const float *x, float *out);
    void (*gelu_tanh_backward)(size_t n, const float *x, const float *dy, float *dx);
    void (*dropout)(size_t n, uint64_t row, const swk_dropout *d, const float *x, float *out); // one row; out may be x
    void (*swiglu)(size_t n, const float *gate, const float *up, float *out);  // silu(gate) * up
    void (*swiglu_backward)(size_t n, const float *gate, const float *up, const float *dy, float *dgate, float *dup);
    void (*geglu_tanh)(size_t n, const float *gate, const float *up, float *out); // gelu_tanh(gate) * up
    void (*geglu_tanh_backward)(size_t n, const float *gate, const float *up, const float *dy, float *dgate, float *dup);
    void (*soft_cap)(size_t n, float cap, float *x);                                         // x <- cap * tanh(x / cap)
    void (*soft_cap_gradient)(size_t n, float cap, const float *y, float *dx);               // dx *= 1 - (y / cap)², y the capped numbers
    double (*sum)(size_t n, const float *x);
    double (*sum_of_squares)(size_t n, const float *x);
    double (*dot)(size_t n, const float *a, const float *b);
    size_t (*count_non_finite)(size_t n, const float *x);
    // x [rows, width] += bias [width] in every row; acc [width] += the sums of x's columns
    void (*add_bias)(size_t rows, size_t width, const float *bias, float *x);
    void (*add_column_sums)(size_t rows, size_t width, const float *x, float *acc);

    // Normalisation over the last axis: x, out, dy, dx [rows, width]; weight, bias, dweight, dbias [width]. `inverse` (and `mean`), [rows],
    // keep one number a row for the backward pass; forward they may be NULL.
    void (*rms_norm)(size_t rows, size_t width, const float *x, const float *weight, float epsilon, float *out,
                     float *inverse);
    void (*rms_norm_backward)(size_t rows, size_t width, const float *x, const float *weight, const float *inverse,
                              const float *dy, float *dx, float *dweight);    // dweight (may be NULL) is added to
    void (*layer_norm)(size_t rows, size_t width, const float *x, const float *weight, const float *bias, float epsilon,
                       float *out, float *mean, float *inverse);
    void (*layer_norm_backward)(size_t rows, size_t width, const float *x, const float *weight, const float *mean,
                                const float *inverse, const float *dy, float *dx, float *dweight, float *dbias);

    // Rotary position embedding, in place: x has rows of heads, `stride` and `head_stride` apart, and the first `dim` (even) numbers of each are
    // turned: in pairs (i, i + dim / 2), or, where `interleaved` is not 0, (2i, 2i + 1).
    // The tables are [positions, dim/2], `positions` [rows] their rows; direction is 1 for the forward and -1 for the backward rotation.
    void (*rotate)(size_t rows, size_t heads, size_t dim, size_t head_stride, size_t stride, int interleaved, const int32_t *positions,
                   const float *cosines, const float *sines, float direction, float *x);

    // Softmax over dense rows of `width`, which is not 0.
    void (*softmax)(size_t rows, size_t width, const float *x, float *out);
    void (*softmax_backward)(size_t rows, size_t width, const float *y, const float *dy, float *dx);
    // log(sum(exp(x * inverse_temperature))) of one row
    float (*log_sum_exp)(size_t width, float inverse_temperature, const float *x);
    // x <- weight * (softmax(x) - onehot(target)), given the row's log-sum-exp
    void (*cross_entropy_gradient)(size_t width, float log_sum_exp, float weight, int32_t target, float *x);
    // sum over i of p_i * x_i with p = softmax(x), given the row's log-sum-exp (entropy = lse - this)
    float (*softmax_mean)(size_t width, float log_sum_exp, const float *x);
    // x <- weight * dH/dx, with H the entropy of softmax(x): -p_i (x_i - softmax_mean); added to acc
    void (*entropy_gradient)(size_t width, float log_sum_exp, float mean, float weight, const float *x, float *acc);
    // the first index of the largest number
    size_t (*argmax)(size_t width, const float *x);
    // first index at which the running sum of exp(x*inverse_temperature - log_sum_exp) exceeds `uniform`
    size_t (*sample)(size_t width, float inverse_temperature, float log_sum_exp, float uniform, const float *x);

    // Attention of one segment and one key/value head: the rows of `out` and `log_sum_exp` that belong to the segment's queries and to
    // the query heads of that head are written. `workspace` holds swk_attention_workspace(...) floats, undefined before and after.
    void (*attention)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);
    // The same for `kv_heads` heads at once, for segments of few queries: at most SWK_FEW_QUERIES for a key/value head.
    void (*attention_few)(const swk_attention *a, const swk_segment *s, size_t first_kv_head, size_t kv_heads, float *workspace);
    // d_queries of the same rows and heads are written, d_keys and d_values of all keys that the segment sees are added to: segments that
    // share keys must not run at once. Needs `out` and `log_sum_exp` of the forward pass.
    void (*attention_backward)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);

    // PRODUCTS. Who calls which of them is decided in one place, Tensor/Products/ProductTable.swift.

    // out[m, n] = x[m, k] · w[n, k]ᵀ for few rows (decoding): w is dense and read once, nothing is packed. Rows of x and out are x_stride
    // and out_stride apart.
    void (*linear_few)(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                       size_t out_stride);

    // C[m, n] (+)= A · B with A[i, p] = a[i*a_row + p*a_col] and rows of B and C that lie b_row and c_row apart: nothing is packed, so A or B
    // should be small. The sums are those of f32_product.
    void (*product)(size_t m, size_t n, size_t depth, const float *a, size_t a_row, size_t a_col, const float *b, size_t b_row, float *c,
                    size_t c_row, int accumulate);

    // Products with a packed matrix of floats. A matrix B [K, N] is cut into panels of 64 columns, the last one of what is left, rounded up
    // to 16s with columns of zeros. One panel, n <= 64 columns: B[p, j] = b[p*depth_stride + j*column_stride], one of the two strides
    // 1 where it should be fast. Panels follow each other; one holds `depth` rows of 16 * ceil(n / 16) floats, the columns side by side.
    // (Packing takes any n: it is also how a matrix is turned.)
    void (*f32_pack)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, float *out);
    // C[m, n] (+)= A · B for rows of A that lie a_row apart, packed panels `b` and rows of C that lie c_row apart; "+" where accumulate is not 0.
    void (*f32_product)(size_t m, size_t n, size_t depth, const float *a, size_t a_row, const float *b, float *c,
                        size_t c_row, int accumulate);

    // The same products from floats that are split into three bfloat16 numbers each, in tiles of SWK_SPLIT_TILE pairs; NULL in all tables but
    // swk_amx_table. A tile has 16 rows of A, or columns of B, by 32 numbers of depth; what sticks out of the matrix is 0.
    // Rows of A[i, p] = a[i*row_stride + p*depth_stride]: the (depth + 31) / 32 tiles of 16 rows behind each other, then those of the next 16.
    // All of ceil(rows / 16) times as many tiles are written.
    void (*split_rows)(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out);
    // n <= 64 columns of B[p, j] = b[p*depth_stride + j*column_stride]: the same with 16 columns. The tiles of the next 16 begin `steps`
    // tiles further on.
    void (*split_panel)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out, size_t steps);
    // C[m, n] (+)= A · B for rows of which one tile's begin a_steps tiles behind those of the tile above, and panels whose tiles of
    // 16 columns follow each other, (depth + 31) / 32 of them each.
    void (*split_product)(size_t m, size_t n, size_t depth, const uint32_t *a, size_t a_steps, const uint32_t *b, float *c,
                          size_t c_row, int accumulate);

    // Products of bfloat16 numbers with float sums. Two neighbours in depth make a pair of 32 bits, the first in the low half; an odd depth
    // ends with a 0. Packing and narrowing round floats to the nearest number, ties to even; NaN stays NaN.
    // One panel of B, n <= 64 columns: B[p, j] = b[p*depth_stride + j*column_stride]. Panels follow each other; one holds
    // (depth + 1) / 2 times 16 * ceil(n / 16) pairs: those of f32_pack, with pairs for floats.
    void (*bf16_pack)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out);
    // Rows of A, (depth + 1) / 2 pairs each, dense: A[i, p] = a[i*row_stride + p*depth_stride]
    void (*bf16_narrow)(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out);
    // C[m, n] (+)= A · B for narrowed rows and packed panels. Up to SWK_ROW_BLOCK - 1 rows behind the last one of A may be read, whatever
    // they hold: there must be memory.
    void (*bf16_product)(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row,
                         int accumulate);

    // What follows a product while it is in the cache: x <- f(x + bias) + residual over n columns, for rows that lie x_row and residual_row
    // apart. `residual` may be NULL.
    void (*finish)(size_t rows, size_t n, const float *bias, swk_activation f, const float *residual, size_t residual_row, float *x,
                   size_t x_row);

    // One fused AdamW step over n numbers (Loshchilov & Hutter 2019, the order of torch.optim.AdamW). value and both moments are changed.
    void (*adam)(size_t n, const swk_adam *a, const float *gradient, float *value, float *first, float *second);
} swk_kernel_table;

/// The table of a build; NULL when this processor or this architecture cannot run it.
const swk_kernel_table *swk_kernels(swk_level level);
swk_level swk_best_level(void);

/// Floats of scratch that one attention (or attention_backward) call needs for a segment that sees `keys` rows at most.
size_t swk_attention_workspace(size_t keys, size_t dim, int backward);
/// Floats more that attention with relative keys or queries needs, behind the others.
size_t swk_relative_workspace(size_t keys, size_t dim);

/// A block of zeros from the system, aligned to a page; NULL when there is no memory. `bytes` is not 0.
void *swk_map(size_t bytes);
void swk_unmap(void *block, size_t bytes);
/// Gives pages that malloc keeps for later back to the system, where malloc can.
void swk_trim(void);

/// Processors that this process may run on.
int swk_processor_count(void);

/// Calls body(context, i) for every i below count, on up to `threads` threads, the caller among them, and returns when all are
/// done. Which thread takes which i is not defined, so results must be placed by index. When the pool is busy with another
/// caller, or threads is 1, everything runs on the caller.
void swk_parallel(int threads, size_t count, void (*body)(void *context, size_t index), void *context);
