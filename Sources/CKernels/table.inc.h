// All kernels, and the tables that name them. A build (portable.c, avx2.c, avx512.c) includes this file once.
//
// How to read its macros. A build sets, before it includes this file:
//   SWK_TABLE, SWK_NAME   the variable that holds the table, and the name in it
//   SWK_WIDE              1 where a register holds 16 floats, 0 where a vector of 16 is several registers
//   SWK_MASKS             512 or 256: which masked instructions read and write part of a vector; without it, memcpy does
//   SWK_NATIVE_BF16, SWK_NATIVE_TABLE   also a table whose bf16_product uses AVX-512-BF16
//   SWK_TILES_TABLE       also a table whose products use tile registers
// ENTRIES(NAME, PRODUCT) is what all tables of a build have in common: the function of each field has the field's name, but for
// bf16_product, which is PRODUCT. All functions are static; a build has its own copies, made for its instruction set.
#include "vector.inc.h"
#include "elementwise.inc.h"
#include "normalisation.inc.h"
#include "softmax.inc.h"
#include "dropout.inc.h"
#include "products.inc.h"
#include "panels.inc.h"
#include "few.inc.h"
#include "bfloat16.inc.h"
#ifdef SWK_TILES_TABLE
#include "tiles.inc.h"
#include "split.inc.h"
#endif
#include "finish.inc.h"
#include "attention.inc.h"
#include "optimiser.inc.h"

#define ENTRIES(NAME, PRODUCT)                                                                                               \
    .name = NAME, .is_wide = SWK_WIDE,                                                                                    \
    .add = add, .subtract = subtract, .multiply = multiply, .scale_add = scale_add, .scale = scale,                       \
    .exponential = exponential, .tanh_forward = tanh_forward, .relu = relu, .relu_backward = relu_backward,               \
    .gelu_erf = gelu_erf, .gelu_erf_backward = gelu_erf_backward,                                                         \
    .gelu_tanh = gelu_tanh, .gelu_tanh_backward = gelu_tanh_backward,                                                     \
    .dropout = dropout, .swiglu = swiglu, .swiglu_backward = swiglu_backward,                                             \
    .geglu_tanh = geglu_tanh, .geglu_tanh_backward = geglu_tanh_backward,                                                 \
    .soft_cap = soft_cap, .soft_cap_gradient = soft_cap_gradient,                                                         \
    .sum = sum, .sum_of_squares = sum_of_squares, .dot = dot, .count_non_finite = count_non_finite,                       \
    .add_bias = add_bias, .add_column_sums = add_column_sums,                                                             \
    .rms_norm = rms_norm, .rms_norm_backward = rms_norm_backward,                                                         \
    .layer_norm = layer_norm, .layer_norm_backward = layer_norm_backward,                                                 \
    .rotate = rotate,                                                                                                     \
    .softmax = softmax, .softmax_backward = softmax_backward, .log_sum_exp = log_sum_exp,                                 \
    .cross_entropy_gradient = cross_entropy_gradient, .softmax_mean = softmax_mean, .entropy_gradient = entropy_gradient, \
    .argmax = argmax, .sample = sample,                                                                                   \
    .attention = attention, .attention_few = attention_few, .attention_backward = attention_backward,                     \
    .linear_few = linear_few, .product = product, .f32_pack = f32_pack, .f32_product = f32_product,                       \
    .bf16_pack = bf16_pack, .bf16_narrow = bf16_narrow, .bf16_product = PRODUCT,                                          \
    .finish = finish,                                                                                                     \
    .adam = adam,

const swk_kernel_table SWK_TABLE = { ENTRIES(SWK_NAME, bf16_product) };
#ifdef SWK_NATIVE_TABLE
const swk_kernel_table SWK_NATIVE_TABLE = { ENTRIES(SWK_NAME, bf16_product_native) };
#endif
#ifdef SWK_TILES_TABLE
const swk_kernel_table SWK_TILES_TABLE = {
    ENTRIES("amx", bf16_product_tiles)
    .split_rows = split_rows, .split_panel = split_panel, .split_product = split_product,
};
#endif
