// The CPU kernels behind the Tensor module: plain C functions on row-major float arrays.
//
// BUILDS. The kernels are written once, in the `.inc.h` files, and compiled three times, which yields five tables of functions:
//
//     table                   file        level          difference from the table above it
//     swk_portable_table      portable.c  SWK_PORTABLE   the compiler's baseline: SSE2 on x86-64, NEON on arm64
//     swk_avx2_table          avx2.c      SWK_AVX2       AVX2, FMA and F16C: 8 floats per register, masked loads
//     swk_avx512_table        avx512.c    SWK_AVX512     AVX-512 F, BW, DQ and VL: 16 floats per register, wider tiles
//     swk_avx512_bf16_table   avx512.c    SWK_AVX512     bfloat16 with the instructions of AVX-512-BF16, and attention in bfloat16
//     swk_amx_table           avx512.c    SWK_AMX        bf16_product in AMX tile registers, and the three split_ functions
//
// On other architectures only the first table exists. To add an instruction set, add a file like avx2.c that includes table.inc.h
// with its own names, a level, and a line in dispatch.c. On such a processor, the new level may be the best one.
//
// DISPATCH (dispatch.c). `swk_best_level()` queries the processor and, for tile registers, the operating system.
// `swk_kernels(level)` returns the table of a level, or NULL; for SWK_AVX512 it returns the better of the two tables. Neither
// compile-time options nor environment variables affect the choice. Tests run all levels up to the best; the AVX-512 table
// without BF16 is tested only on processors that lack BF16.
//
// RULES FOR ALL KERNELS
// - Matrices are row-major and dense unless a stride is given. Sizes and strides are `size_t` counts of elements, not bytes, and
//   need not be multiples of anything. The numbers of rows and columns may be 0; the depth of a product with a packed matrix and
//   the width of a row may not.
// - Arrays need only the alignment of their elements: 4 bytes for float and uint32_t, 2 bytes for uint16_t. 64 bytes are faster.
// - Nothing outside the given sizes is read or written, except by `bf16_product` as documented. Prefetching is allowed.
// - Elementwise kernels, softmax and dropout may overwrite an input of the same shape. In products, C must not overlap A or B.
// - Kernels do not allocate memory, keep state or check their arguments (the Swift side does). All kernels are thread-safe.
// - The summation order depends only on the length of the sum, not on neighbouring rows or columns, so that the partition of work
//   does not change results. Different levels round differently.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The instruction set levels, in ascending order. A processor that supports a level supports all lower ones.
typedef enum { SWK_PORTABLE = 0, SWK_AVX2 = 1, SWK_AVX512 = 2, SWK_AMX = 3 } swk_level;

/// The git commit of the build; an empty string if the build did not record it.
const char *swk_commit(void);

/// An activation function that is applied to the result of a product.
typedef enum { SWK_IDENTITY = 0, SWK_RELU = 1, SWK_GELU_ERF = 2, SWK_GELU_TANH = 3 } swk_activation;

/// Consecutive queries of one sequence and the key rows that they attend to: `prefix_count` rows from `prefix_begin`, and the
/// rows from `key_begin` up to and including `key_first + j` for query j (causal). If `sees_all` is not 0, every query attends up
/// to and including `key_first + query_count - 1`.
typedef struct {
    size_t query_begin, query_count;
    size_t key_begin, key_first;
    size_t prefix_begin, prefix_count;
    size_t sees_all;
} swk_segment;

/// bf16_product may read A up to a multiple of this number of rows.
#define SWK_ROW_BLOCK 16

/// The maximum number of queries, times query heads per key/value head, of a segment for attention_few, which uses keys without
/// packing.
#define SWK_FEW_QUERIES 4

/// The maximum number of queries, times query heads per key/value head, of the segments of a call of attention_prefix.
#define SWK_PREFIX_QUERIES 64

// Block sizes of f32_product: SWK_PANEL_GROUP panels and SWK_PANEL_DEPTH of their rows (768 KiB) stay in the second-level cache
// while blocks of SWK_GROUP_ROWS rows of A are multiplied by them. Callers that pack a matrix for a single product should pack at
// most this much at a time.
#define SWK_PANEL_DEPTH 1024
#define SWK_PANEL_GROUP 3
#define SWK_GROUP_ROWS 24

// Block sizes of split_product. A tile has 16 rows or columns by 32 elements of depth and takes SWK_SPLIT_TILE pairs of bfloat16
// numbers. SWK_SPLIT_DEPTH elements of depth are used at a time, so that a group of panels stays in the second-level cache.
#define SWK_SPLIT_TILE 768
#define SWK_SPLIT_DEPTH 384

/// The parameters of dropout. Elements whose 32 random bits are below `threshold` are set to zero; the others are multiplied by
/// `scale`. The bits of element t in row r are word t % 4 of block r * 2^32 + t / 4 of a Philox 4x32-10 generator.
typedef struct {
    uint32_t key0, key1;
    uint64_t stream;
    uint32_t threshold; // 0: no dropout
    float scale;
    const size_t *rows; // r of every row of the array (for attention: of every query)
} swk_dropout;

/// The arguments of one attention call: queries and outputs [R, heads*dim], keys and values [T, kv_heads*dim].
typedef struct {
    const float *queries, *keys, *values;
    const uint16_t *narrow_keys, *narrow_values; // bfloat16 keys and values, only for attention_few; or NULL
    size_t query_stride, key_stride, value_stride, out_stride;
    size_t heads, kv_heads, dim;
    float scale;
    size_t window;           // only the nearest `window` keys, including the query's own; 0: all. Only causal segments
    float cap;               // scores are cap * tanh(scale * q k / cap); 0: no cap
    const float *slopes;     // [heads]: ALiBi adds slope * (key position - query position) to scores; or NULL. Not with cap
    size_t neighbourhood;    // only keys at a distance below this on both sides; 0: all. Only segments with sees_all
    // Terms that depend on the distance of key and query, only for segments with sees_all and as many key heads as query heads.
    // The column or row is `relative_reach` + key position - query position. The reach must be at least the maximum number of
    // keys in a segment - 1.
    size_t relative_reach;
    const float *relative_bias;    // [heads, 2 * reach + 1]: added to scores; or NULL
    const float *relative_keys;    // [2 * reach + 1, heads*dim]: their products with the query are added to q k; or NULL
    const float *relative_queries; // the same shape: their products with the key are added to q k; or NULL
    swk_dropout dropout;     // of the attention weights; row number: r of the query * heads + head
    float *out;              // [R, heads*dim]
    float *log_sum_exp;      // [R, heads]; NULL if there is no backward pass
    // backward only
    const float *d_out;      // [R, heads*dim], stride out_stride
    float *d_queries;        // [R, heads*dim], dense; overwritten
    float *d_keys, *d_values; // [T, kv_heads*dim], dense; accumulated
} swk_attention;

/// The parameters of one step of an optimiser.
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay; // Lion does not read epsilon
    float correction1, correction2; // 1 - beta^t; Lion does not read them
    float gradient_scale;           // factor of every gradient (clipping, accumulation)
} swk_adam;

// Moments in 8 bits. SWK_CODE_BLOCK consecutive numbers have a scale in common. The cells of a map are the floats of equal upper bits:
// SWK_MAP_SHIFT bits are left out, and absolute values below cell 1 (1.2e-7) or above the last (1) belong to the first or last.
#define SWK_CODE_BLOCK 256
#define SWK_MAP_SHIFT 16
#define SWK_MAP_FIRST 13312
#define SWK_MAP_CELLS 2945

/// The numbers that 256 codes stand for, in ascending order, and what finds the nearest one.
typedef struct {
    const float *values;   // [256]
    const float *bounds;   // [256]: the largest float that is not nearer to the next number; infinity for the last code
    const uint8_t *starts; // [2, SWK_MAP_CELLS]: the code of the least number of each cell, for cells above and below 0
    uint8_t zero;          // the code of 0
} swk_code_map;

/// The kernels of one build.
///
/// "+=" in a description accumulates; all other outputs are overwritten. "(+)=" accumulates unless `accumulate` is 0.
typedef struct {
    const char *name; // for messages; the same in both tables of SWK_AVX512
    int is_wide; // whether vectors have 512 bits

    // Elementwise operations on arrays of n elements.
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
    void (*soft_cap_gradient)(size_t n, float cap, const float *y, float *dx);               // dx *= 1 - (y / cap)², y: the output of soft_cap
    double (*sum)(size_t n, const float *x);
    double (*sum_of_squares)(size_t n, const float *x);
    double (*dot)(size_t n, const float *a, const float *b);
    size_t (*count_non_finite)(size_t n, const float *x);
    // x [rows, width] += bias [width] in every row
    void (*add_bias)(size_t rows, size_t width, const float *bias, float *x);

    // Normalisation over the last axis. x, out, dy and dx are [rows, width]; weight, bias, dweight and dbias are [width]. `mean`
    // and `inverse` (the reciprocal of the root mean square or standard deviation), [rows], are stored for the backward pass and
    // may be NULL in the forward pass.
    void (*rms_norm)(size_t rows, size_t width, const float *x, const float *weight, float epsilon, float *out,
                     float *inverse);
    void (*rms_norm_backward)(size_t rows, size_t width, const float *x, const float *weight, const float *inverse,
                              const float *dy, float *dx, float *dweight);    // dweight (may be NULL) is accumulated
    void (*layer_norm)(size_t rows, size_t width, const float *x, const float *weight, const float *bias, float epsilon,
                       float *out, float *mean, float *inverse);
    // dweight and dbias (may be NULL) are accumulated
    void (*layer_norm_backward)(size_t rows, size_t width, const float *x, const float *weight, const float *mean,
                                const float *inverse, const float *dy, float *dx, float *dweight, float *dbias);

    // Rotary position embedding, in place. The rows of x are `stride` apart, their heads `head_stride` apart. The first `dim`
    // (even) elements of each head are rotated in pairs (i, i + dim / 2) or, if `interleaved` is not 0, (2i, 2i + 1). The tables
    // are [positions, dim/2]; `positions` [rows] selects their rows. `direction` is 1 for the forward and -1 for the backward
    // rotation.
    void (*rotate)(size_t rows, size_t heads, size_t dim, size_t head_stride, size_t stride, int interleaved, const int32_t *positions,
                   const float *cosines, const float *sines, float direction, float *x);

    // Softmax over dense rows of `width`, which must not be 0.
    void (*softmax)(size_t rows, size_t width, const float *x, float *out);
    void (*softmax_backward)(size_t rows, size_t width, const float *y, const float *dy, float *dx);
    // log(sum(exp(x * inverse_temperature))) of one row
    float (*log_sum_exp)(size_t width, float inverse_temperature, const float *x);
    // x <- weight * (softmax(x) - onehot(target)), given the row's log-sum-exp
    void (*cross_entropy_gradient)(size_t width, float log_sum_exp, float weight, int32_t target, float *x);
    // sum over i of p_i * x_i with p = softmax(x), given the row's log-sum-exp; the entropy is log_sum_exp - softmax_mean
    float (*softmax_mean)(size_t width, float log_sum_exp, const float *x);
    // acc += weight * dH/dx, where H is the entropy of softmax(x): dH/dx_i = -p_i (x_i - mean), with mean = softmax_mean
    void (*entropy_gradient)(size_t width, float log_sum_exp, float mean, float weight, const float *x, float *acc);
    // the first index of the maximum
    size_t (*argmax)(size_t width, const float *x);
    // the first index at which the running sum of exp(x*inverse_temperature - log_sum_exp) exceeds `uniform`
    size_t (*sample)(size_t width, float inverse_temperature, float log_sum_exp, float uniform, const float *x);

    // Attention of one segment and one key/value head: writes the rows of `out` and `log_sum_exp` of the segment's queries for
    // the query heads of that key/value head. `workspace` has swk_attention_workspace(...) floats, whose content is undefined
    // before and after the call.
    void (*attention)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);
    // The same for `kv_heads` key/value heads at once and segments with at most SWK_FEW_QUERIES queries per key/value head.
    void (*attention_few)(const swk_attention *a, const swk_segment *s, size_t first_kv_head, size_t kv_heads, float *workspace);
    // The same for several segments with the same prefix, whose rows are read once for all of them. Not with relative positions. At
    // most SWK_PREFIX_QUERIES queries per key/value head; `workspace` has swk_prefix_workspace(...) floats. The results have the bits
    // of attention_few.
    void (*attention_prefix)(const swk_attention *a, const swk_segment *segments, size_t count, size_t first_kv_head, size_t kv_heads,
                             float *workspace);
    // Writes d_queries for the same rows and heads, and accumulates d_keys and d_values for all keys that the segment attends to.
    // Segments that share keys must not run concurrently. Requires `out` and `log_sum_exp` of the forward pass.
    void (*attention_backward)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);
    // The same two with factors of products rounded to bfloat16 and sums in float; NULL in tables without instructions for bfloat16.
    // `workspace` has swk_attention_bf16_workspace(...) floats. Without relative keys and queries, and without narrow keys.
    void (*attention_bf16)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);
    void (*attention_bf16_backward)(const swk_attention *a, const swk_segment *s, size_t kv_head, float *workspace);

    // PRODUCTS. Tensor/Products/ProductTable.swift alone selects between them.

    // out[m, n] = x[m, k] · w[n, k]ᵀ for few rows (decoding). w is dense, is read once and is not packed. Rows of x and out are
    // x_stride and out_stride apart.
    void (*linear_few)(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                       size_t out_stride);

    // C[m, n] (+)= A · B with A[i, p] = a[i*a_row + p*a_col] and rows of B and C that are b_row and c_row apart. Nothing is
    // packed, so A or B should be small. The summation order is that of f32_product.
    void (*product)(size_t m, size_t n, size_t depth, const float *a, size_t a_row, size_t a_col, const float *b, size_t b_row, float *c,
                    size_t c_row, int accumulate);

    // Products of floats with a packed matrix. A matrix B [K, N] is divided into panels of 64 columns. The last panel has the
    // remaining columns, padded with columns of zeros to a multiple of 16. f32_pack packs one panel with n <= 64 columns,
    // B[p, j] = b[p*depth_stride + j*column_stride]; it is fast if one of the two strides is 1. Panels are contiguous; a panel
    // has `depth` rows of 16 * ceil(n / 16) floats. (f32_pack accepts any n and also serves to transpose matrices.)
    void (*f32_pack)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, float *out);
    // C[m, n] (+)= A · B, where rows of A are a_row apart, `b` has packed panels, and rows of C are c_row apart.
    void (*f32_product)(size_t m, size_t n, size_t depth, const float *a, size_t a_row, const float *b, float *c,
                        size_t c_row, int accumulate);

    // Products of floats that are split into three bfloat16 numbers each, in tiles of SWK_SPLIT_TILE pairs; NULL in all tables
    // except swk_amx_table. A tile has 16 rows of A, or 16 columns of B, by 32 elements of depth, padded with zeros.
    // split_rows: the rows of A[i, p] = a[i*row_stride + p*depth_stride], as (depth + 31) / 32 contiguous tiles for the first 16
    // rows, then those for the next 16 rows, and so on: ceil(rows / 16) * ((depth + 31) / 32) tiles in total.
    void (*split_rows)(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out);
    // split_panel: the same for n <= 64 columns of B[p, j] = b[p*depth_stride + j*column_stride]. The tiles of the next 16
    // columns start `steps` tiles further on.
    void (*split_panel)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out, size_t steps);
    // C[m, n] (+)= A · B, where the tiles of the next 16 rows of A start a_steps tiles further on, and each 16 columns of B have
    // (depth + 31) / 32 contiguous tiles.
    void (*split_product)(size_t m, size_t n, size_t depth, const uint32_t *a, size_t a_steps, const uint32_t *b, float *c,
                          size_t c_row, int accumulate);

    // Products of bfloat16 numbers with sums in float. Two elements that are adjacent in depth form a pair of 32 bits, the first
    // in the low half; an odd depth is padded with 0. Packing and narrowing round to the nearest bfloat16, ties to even; NaN
    // stays NaN, and subnormal numbers may become 0. bf16_pack packs one panel of B with n <= 64 columns,
    // B[p, j] = b[p*depth_stride + j*column_stride]. Panels are contiguous, with the layout of f32_pack, but with
    // (depth + 1) / 2 rows of 16 * ceil(n / 16) pairs.
    void (*bf16_pack)(size_t n, size_t depth, const float *b, size_t depth_stride, size_t column_stride, uint32_t *out);
    // The rows of A as (depth + 1) / 2 contiguous pairs each: A[i, p] = a[i*row_stride + p*depth_stride]; fast if depth_stride is 1.
    void (*bf16_narrow)(size_t rows, size_t depth, const float *a, size_t row_stride, size_t depth_stride, uint32_t *out);
    // Two kernels that read numbers which bf16_narrow has rounded, from rows of pairs that are `stride` pairs apart. They read the
    // first n columns; an odd n must be the end of the rows, whose last pair is padded with 0. bf16_pack_pairs: bf16_pack of
    // B[p, j], which is column j of row p. bf16_turn: the rows of A as bf16_narrow writes them, where A[i, p] is column i of row p.
    void (*bf16_pack_pairs)(size_t n, size_t depth, const uint32_t *b, size_t stride, uint32_t *out);
    void (*bf16_turn)(size_t n, size_t depth, const uint32_t *a, size_t stride, uint32_t *out);
    // C[m, n] (+)= A · B for narrowed rows and packed panels. Up to SWK_ROW_BLOCK - 1 rows after the last row of A may be read;
    // they must be readable memory, but their content does not matter.
    void (*bf16_product)(size_t m, size_t n, size_t depth, const uint32_t *a, const uint32_t *b, float *c, size_t c_row,
                         int accumulate);
    // Rounds n floats to the nearest bfloat16, ties to even; NaN stays NaN.
    void (*bf16_round)(size_t n, const float *x, uint16_t *out);
    // out[i*n + j] = x[i*stride + j] for i < rows and j < n, as floats; exact.
    void (*bf16_widen)(size_t rows, size_t n, size_t stride, const uint16_t *x, float *out);
    // Rounds n floats to bfloat16, to one of the two nearest numbers at random, so that the expected result is the float. Number i is
    // number first + i of an array; its random bits are half-word (first + i) % 8 of block (first + i) / 8 of the generator whose key
    // and stream `d` has. `first` must be a multiple of 8. Exact numbers, infinity and NaN stay as they are.
    void (*bf16_stochastic)(size_t n, uint64_t first, const swk_dropout *d, const float *x, uint16_t *out);

    // Blocks of 32 numbers in 34 bytes: a scale in half precision (little-endian), then 32 signed 8-bit integers; a number is its
    // integer times the scale (ggml's Q8_0). q8_widen: out[i*n + j] is number first + i*stride + j of the blocks, for i < rows and
    // j < n; exact. Blocks need no alignment.
    void (*q8_widen)(size_t rows, size_t n, size_t first, size_t stride, const uint8_t *blocks, float *out);
    // Rounds 32 * blocks floats as ggml does: the scale is the largest magnitude / 127, and the integers are the numbers times the
    // scale's reciprocal, ties away from zero. The integers are 0 if the scale is 0 in half precision. Stops at the first block
    // whose scale is not finite in half precision, and returns its index; returns `blocks` if there is none.
    size_t (*q8_round)(size_t blocks, const float *x, uint8_t *out);

    // linear_few for a dense weight in blocks, with its bits. k must be a multiple of 32.
    void (*q8_linear_few)(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const uint8_t *blocks, float *out,
                          size_t out_stride);
    // bf16_pack of one panel with B[p, j] = number p of row j of the blocks, where rows are row_bytes apart and begin with a block.
    // depth must be a multiple of 32. NULL in swk_portable_table.
    void (*q8_pack)(size_t n, size_t depth, const uint8_t *blocks, size_t row_bytes, uint32_t *out);

    // The operations after a product, while the result is in the cache: x <- f(x + bias) + residual over n columns. Rows of x and
    // residual are x_row and residual_row apart. `residual` may be NULL.
    void (*finish)(size_t rows, size_t n, const float *bias, swk_activation f, const float *residual, size_t residual_row, float *x,
                   size_t x_row);

    // One fused AdamW step on n parameters (Loshchilov & Hutter 2019, as torch.optim.AdamW). Updates value and both moments.
    void (*adam)(size_t n, const swk_adam *a, const float *gradient, float *value, float *first, float *second);
    // The same where both moments are codes of their map, with a scale per block; value changes by moments that are not yet rounded.
    // n must be a multiple of SWK_CODE_BLOCK, except at the end of a parameter.
    void (*adam8)(size_t n, const swk_adam *a, const swk_code_map *first_map, const swk_code_map *second_map, const float *gradient,
                  float *value, uint8_t *first, float *first_scales, uint8_t *second, float *second_scales);
    // One fused Lion step on n parameters (Chen et al. 2023). Updates value and momentum.
    void (*lion)(size_t n, const swk_adam *a, const float *gradient, float *value, float *momentum);
    // The parts of an Adafactor step (Shazeer & Stern 2018).
    // Sums of (scale * gradient)^2 + epsilon over a matrix: row_sums[r] = that of row r, column_sums[c] += that of column c.
    void (*square_sums)(size_t rows, size_t width, float scale, float epsilon, const float *gradient, float *row_sums, float *column_sums);
    // The sum of the squares of a * b.
    double (*sum_of_product_squares)(size_t n, const float *a, const float *b);
    // value <- decay * value - factor * a * b
    void (*decay_and_subtract)(size_t n, float decay, float factor, const float *a, const float *b, float *value);
} swk_kernel_table;

/// The table of a level; NULL if the processor or the architecture does not support it.
const swk_kernel_table *swk_kernels(swk_level level);
/// The highest level that this machine supports.
swk_level swk_best_level(void);

/// The number of floats of workspace that an attention or attention_backward call needs for a segment with at most `keys` keys.
size_t swk_attention_workspace(size_t keys, size_t dim, int backward);
/// The same for attention_bf16 and attention_bf16_backward.
size_t swk_attention_bf16_workspace(size_t keys, size_t dim, int backward);
/// The number of queries, times query heads, that attention_prefix processes at once: fewer for more keys, so that their scores stay in
/// the second-level cache, but not below SWK_PREFIX_QUERIES.
size_t swk_prefix_rows(size_t keys);
/// The number of floats of workspace that an attention_prefix call needs for segments with at most `keys` keys.
size_t swk_prefix_workspace(size_t keys, size_t dim);
/// The number of additional floats of workspace for attention with relative keys or queries, after the others.
size_t swk_relative_workspace(size_t keys, size_t dim);

/// Allocates zero-initialised, page-aligned memory from the operating system; returns NULL on failure. `bytes` must not be 0.
void *swk_map(size_t bytes);
/// Reserves page-aligned addresses without memory, which must not be read or written before swk_open; returns NULL on failure.
void *swk_reserve(size_t bytes);
/// Makes whole pages of swk_reserve readable and writable, initialised to zero; returns 0 if the system refuses.
int swk_open(void *block, size_t bytes);
/// Frees memory from swk_map or addresses from swk_reserve. `bytes` is the size that was requested.
void swk_unmap(void *block, size_t bytes);
/// Returns whole pages to the system. They can still be written; their contents are undefined.
void swk_discard(void *block, size_t bytes);
/// Requests huge pages of 2 MiB for whole pages, where the system has such: fewer page faults, and fewer TLB misses when weights are
/// streamed.
void swk_use_huge_pages(void *block, size_t bytes);
/// The bytes of a page.
size_t swk_page_size(void);
/// The bytes of the machine's memory; 0 if unknown.
size_t swk_machine_memory(void);
/// Whether the addresses of this process are limited (`ulimit -v`).
int swk_addresses_are_limited(void);
/// Returns free memory that malloc holds to the operating system, where the C library supports it.
void swk_trim(void);

/// The number of processors on which this process may run.
int swk_processor_count(void);

/// Calls body(context, i) for every i below count, on at most `threads` threads including the caller (256 at most), and returns when
/// all calls are done. The assignment of indices to threads is undefined, so results must be stored by index. If another caller is
/// using the pool, or if threads is 1, all calls run on the caller's thread; this includes calls from within a body.
void swk_parallel(int threads, size_t count, void (*body)(void *context, size_t index), void *context);

/// Sums over the measured jobs of the pool since the start of the process: their number, and the time from the start of each to its
/// end. Jobs that run on the caller's thread alone are not among them.
typedef struct {
    uint64_t jobs, nanoseconds;
} swk_pool_sums;

/// Starts (on = 1) or ends (on = 0) a measurement. The times of a job are taken while at least one measurement runs.
void swk_measure_pool(int on);
/// Reads the sums. `busy_times` receives the nanoseconds that each thread worked in measured jobs: the callers' at 0, then those of
/// the workers; at most `capacity` numbers. Returns the number of threads: workers created so far, plus 1.
int swk_pool_times(swk_pool_sums *sums, uint64_t *busy_times, int capacity);
/// A number that distinguishes the calling thread from all others that exist.
uintptr_t swk_thread(void);
