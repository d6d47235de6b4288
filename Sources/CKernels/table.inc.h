// All kernels, and the tables that list them. Each build (portable.c, avx2.c, avx512.c) includes this file once.
//
// Macros that a build defines before it includes this file:
//     SWK_TABLE, SWK_NAME   the variable for the table, and its name
//     SWK_WIDE              1 if a register holds 16 floats, 0 if a vector of 16 takes several registers
//     SWK_MASKS             512 or 256: the masked instructions for partial vectors; if undefined, memcpy is used
//     SWK_NATIVE_BF16, SWK_NATIVE_TABLE   additionally a table whose bfloat16 kernels use AVX-512-BF16
//     SWK_TILES_TABLE       additionally a table whose products use tile registers
//
// ENTRIES(NAME, PRODUCT, PACK, NARROW, Q8_PACK) lists what all tables of a build have in common. Each function has the name of its
// field, except bf16_product, bf16_pack, bf16_narrow and q8_pack, which are arguments. All functions are static; each build has its
// own copies, compiled for its instruction set.
#include "vector.inc.h"
#include "elementwise.inc.h"
#include "normalisation.inc.h"
#include "softmax.inc.h"
#include "dropout.inc.h"
#include "products.inc.h"
#include "panels.inc.h"
#include "q8.inc.h"
#include "few.inc.h"
#include "pairs.inc.h"
#include "conversion.inc.h"
#include "bfloat16.inc.h"
#include "stochastic.inc.h"
#ifdef SWK_TILES_TABLE
#include "tiles.inc.h"
#include "split.inc.h"
#endif
#include "finish.inc.h"
#include "attention_rows.inc.h"
#include "attention.inc.h"
#if SWK_NATIVE_BF16
#include "attention_bf16.inc.h"
#endif
#include "optimiser.inc.h"

#define ENTRIES(NAME, PRODUCT, PACK, NARROW, Q8_PACK)                                                                     \
    .name = NAME, .is_wide = SWK_WIDE,                                                                                    \
    .add = add, .subtract = subtract, .multiply = multiply, .scale_add = scale_add, .scale = scale,                       \
    .exponential = exponential, .tanh_forward = tanh_forward, .relu = relu, .relu_backward = relu_backward,               \
    .gelu_erf = gelu_erf, .gelu_erf_backward = gelu_erf_backward,                                                         \
    .gelu_tanh = gelu_tanh, .gelu_tanh_backward = gelu_tanh_backward,                                                     \
    .dropout = dropout, .swiglu = swiglu, .swiglu_backward = swiglu_backward,                                             \
    .geglu_tanh = geglu_tanh, .geglu_tanh_backward = geglu_tanh_backward,                                                 \
    .soft_cap = soft_cap, .soft_cap_gradient = soft_cap_gradient,                                                         \
    .sum = sum, .sum_of_squares = sum_of_squares, .dot = dot, .count_non_finite = count_non_finite,                       \
    .add_bias = add_bias,                                                                                                 \
    .rms_norm = rms_norm, .rms_norm_backward = rms_norm_backward,                                                         \
    .layer_norm = layer_norm, .layer_norm_backward = layer_norm_backward,                                                 \
    .rotate = rotate,                                                                                                     \
    .softmax = softmax, .softmax_backward = softmax_backward, .log_sum_exp = log_sum_exp,                                 \
    .cross_entropy_gradient = cross_entropy_gradient, .softmax_mean = softmax_mean, .entropy_gradient = entropy_gradient, \
    .argmax = argmax, .sample = sample,                                                                                   \
    .attention = attention, .attention_few = attention_few, .attention_prefix = attention_prefix,                         \
    .attention_backward = attention_backward,                                                                             \
    .linear_few = linear_few, .product = product, .f32_pack = f32_pack, .f32_product = f32_product,                       \
    .bf16_pack = PACK, .bf16_narrow = NARROW, .bf16_product = PRODUCT,                                                       \
    .bf16_pack_pairs = bf16_pack_pairs, .bf16_turn = bf16_turn,                                                           \
    .bf16_round = bf16_round, .bf16_widen = bf16_widen, .bf16_stochastic = bf16_stochastic,                               \
    .q8_widen = q8_widen, .q8_round = q8_round, .q8_linear_few = q8_linear_few, .q8_pack = Q8_PACK,                       \
    .finish = finish,                                                                                                     \
    .adam = adam, .adam8 = adam8, .lion = lion,                                                                           \
    .square_sums = square_sums, .sum_of_product_squares = sum_of_product_squares, .decay_and_subtract = decay_and_subtract,

#ifdef SWK_MASKS
const swk_kernel_table SWK_TABLE = { ENTRIES(SWK_NAME, bf16_product, bf16_pack, bf16_narrow, q8_pack) };
#else
const swk_kernel_table SWK_TABLE = { ENTRIES(SWK_NAME, bf16_product, bf16_pack, bf16_narrow, NULL) };
#endif
#ifdef SWK_NATIVE_TABLE
const swk_kernel_table SWK_NATIVE_TABLE = {
    ENTRIES(SWK_NAME, bf16_product_native, bf16_pack_native, bf16_narrow_native, q8_pack_native)
    .attention_bf16 = attention_bf16, .attention_bf16_backward = attention_bf16_backward,
};
#endif
#ifdef SWK_TILES_TABLE
const swk_kernel_table SWK_TILES_TABLE = {
    ENTRIES("amx", bf16_product_tiles, bf16_pack_native, bf16_narrow_native, q8_pack_native)
    .attention_bf16 = attention_bf16_tiles, .attention_bf16_backward = attention_bf16_tiles_backward,
    .split_rows = split_rows, .split_panel = split_panel, .split_product = split_product,
};
#endif
