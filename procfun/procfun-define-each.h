/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

/* Counts and walks macro arguments, for procfun-define-generate.h. Programs do not use it directly.
 */

#define PROCFUN_CAT_(a, b) PROCFUN_CAT_AGAIN_ (a, b)
#define PROCFUN_CAT_AGAIN_(a, b) a##b

#define PROCFUN_FIRST_(...) PROCFUN_FIRST_AGAIN_ (__VA_ARGS__, ~)
#define PROCFUN_FIRST_AGAIN_(first, ...) first

#define PROCFUN_THIRD_(a, b, third, ...) third

/* clang-format off */

/* The number of arguments, 1 to 65. */
#define PROCFUN_COUNT_(...) \
  PROCFUN_COUNT_AGAIN_ (__VA_ARGS__, \
                        65, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, \
                        48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, \
                        31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, \
                        14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~)
#define PROCFUN_COUNT_AGAIN_( \
  a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, \
  a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, \
  a33, a34, a35, a36, a37, a38, a39, a40, a41, a42, a43, a44, a45, a46, a47, a48, \
  a49, a50, a51, a52, a53, a54, a55, a56, a57, a58, a59, a60, a61, a62, a63, a64, \
  a65, count, ...) count

/* m (c, x) for each argument but the first, of which there must be n in all. Skipping the first one
 * makes the empty walk an ordinary case: ISO C has no variadic macro without arguments. */
#define PROCFUN_EACH_(n, m, c, ...) PROCFUN_CAT_ (PROCFUN_EACH_, n) (m, c, __VA_ARGS__)
#define PROCFUN_EACH_1(m, c, x)
#define PROCFUN_EACH_2(m, c, x, y) m (c, y)
#define PROCFUN_EACH_3(m, c, x, y, ...) m (c, y) PROCFUN_EACH_2 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_4(m, c, x, y, ...) m (c, y) PROCFUN_EACH_3 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_5(m, c, x, y, ...) m (c, y) PROCFUN_EACH_4 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_6(m, c, x, y, ...) m (c, y) PROCFUN_EACH_5 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_7(m, c, x, y, ...) m (c, y) PROCFUN_EACH_6 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_8(m, c, x, y, ...) m (c, y) PROCFUN_EACH_7 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_9(m, c, x, y, ...) m (c, y) PROCFUN_EACH_8 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_10(m, c, x, y, ...) m (c, y) PROCFUN_EACH_9 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_11(m, c, x, y, ...) m (c, y) PROCFUN_EACH_10 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_12(m, c, x, y, ...) m (c, y) PROCFUN_EACH_11 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_13(m, c, x, y, ...) m (c, y) PROCFUN_EACH_12 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_14(m, c, x, y, ...) m (c, y) PROCFUN_EACH_13 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_15(m, c, x, y, ...) m (c, y) PROCFUN_EACH_14 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_16(m, c, x, y, ...) m (c, y) PROCFUN_EACH_15 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_17(m, c, x, y, ...) m (c, y) PROCFUN_EACH_16 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_18(m, c, x, y, ...) m (c, y) PROCFUN_EACH_17 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_19(m, c, x, y, ...) m (c, y) PROCFUN_EACH_18 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_20(m, c, x, y, ...) m (c, y) PROCFUN_EACH_19 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_21(m, c, x, y, ...) m (c, y) PROCFUN_EACH_20 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_22(m, c, x, y, ...) m (c, y) PROCFUN_EACH_21 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_23(m, c, x, y, ...) m (c, y) PROCFUN_EACH_22 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_24(m, c, x, y, ...) m (c, y) PROCFUN_EACH_23 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_25(m, c, x, y, ...) m (c, y) PROCFUN_EACH_24 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_26(m, c, x, y, ...) m (c, y) PROCFUN_EACH_25 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_27(m, c, x, y, ...) m (c, y) PROCFUN_EACH_26 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_28(m, c, x, y, ...) m (c, y) PROCFUN_EACH_27 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_29(m, c, x, y, ...) m (c, y) PROCFUN_EACH_28 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_30(m, c, x, y, ...) m (c, y) PROCFUN_EACH_29 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_31(m, c, x, y, ...) m (c, y) PROCFUN_EACH_30 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_32(m, c, x, y, ...) m (c, y) PROCFUN_EACH_31 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_33(m, c, x, y, ...) m (c, y) PROCFUN_EACH_32 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_34(m, c, x, y, ...) m (c, y) PROCFUN_EACH_33 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_35(m, c, x, y, ...) m (c, y) PROCFUN_EACH_34 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_36(m, c, x, y, ...) m (c, y) PROCFUN_EACH_35 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_37(m, c, x, y, ...) m (c, y) PROCFUN_EACH_36 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_38(m, c, x, y, ...) m (c, y) PROCFUN_EACH_37 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_39(m, c, x, y, ...) m (c, y) PROCFUN_EACH_38 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_40(m, c, x, y, ...) m (c, y) PROCFUN_EACH_39 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_41(m, c, x, y, ...) m (c, y) PROCFUN_EACH_40 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_42(m, c, x, y, ...) m (c, y) PROCFUN_EACH_41 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_43(m, c, x, y, ...) m (c, y) PROCFUN_EACH_42 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_44(m, c, x, y, ...) m (c, y) PROCFUN_EACH_43 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_45(m, c, x, y, ...) m (c, y) PROCFUN_EACH_44 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_46(m, c, x, y, ...) m (c, y) PROCFUN_EACH_45 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_47(m, c, x, y, ...) m (c, y) PROCFUN_EACH_46 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_48(m, c, x, y, ...) m (c, y) PROCFUN_EACH_47 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_49(m, c, x, y, ...) m (c, y) PROCFUN_EACH_48 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_50(m, c, x, y, ...) m (c, y) PROCFUN_EACH_49 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_51(m, c, x, y, ...) m (c, y) PROCFUN_EACH_50 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_52(m, c, x, y, ...) m (c, y) PROCFUN_EACH_51 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_53(m, c, x, y, ...) m (c, y) PROCFUN_EACH_52 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_54(m, c, x, y, ...) m (c, y) PROCFUN_EACH_53 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_55(m, c, x, y, ...) m (c, y) PROCFUN_EACH_54 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_56(m, c, x, y, ...) m (c, y) PROCFUN_EACH_55 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_57(m, c, x, y, ...) m (c, y) PROCFUN_EACH_56 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_58(m, c, x, y, ...) m (c, y) PROCFUN_EACH_57 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_59(m, c, x, y, ...) m (c, y) PROCFUN_EACH_58 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_60(m, c, x, y, ...) m (c, y) PROCFUN_EACH_59 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_61(m, c, x, y, ...) m (c, y) PROCFUN_EACH_60 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_62(m, c, x, y, ...) m (c, y) PROCFUN_EACH_61 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_63(m, c, x, y, ...) m (c, y) PROCFUN_EACH_62 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_64(m, c, x, y, ...) m (c, y) PROCFUN_EACH_63 (m, c, y, __VA_ARGS__)
#define PROCFUN_EACH_65(m, c, x, y, ...) m (c, y) PROCFUN_EACH_64 (m, c, y, __VA_ARGS__)

/* clang-format on */

/* The same with commas between, or @empty. */
#define PROCFUN_LIST_(n, m, c, empty, ...)                                                         \
  PROCFUN_CAT_ (PROCFUN_LIST_OF_, PROCFUN_SOME_ (n)) (n, m, c, empty, __VA_ARGS__)
#define PROCFUN_LIST_OF_NONE_(n, m, c, empty, ...) empty
#define PROCFUN_LIST_OF_SOME_(n, m, c, empty, ...)                                                 \
  PROCFUN_BUT_FIRST_ (~PROCFUN_EACH_ (n, m, c, __VA_ARGS__))
#define PROCFUN_BUT_FIRST_(...) PROCFUN_BUT_FIRST_AGAIN_ (__VA_ARGS__)
#define PROCFUN_BUT_FIRST_AGAIN_(first, ...) __VA_ARGS__

#define PROCFUN_SOME_(n) PROCFUN_SOME_AGAIN_ (procfun_alone_##n, NONE_, SOME_, ~)
#define PROCFUN_SOME_AGAIN_(...) PROCFUN_THIRD_ (__VA_ARGS__, ~)
#define procfun_alone_1 ~, ~
