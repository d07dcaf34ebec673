#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints number-powers.c: python3 number-powers.py > number-powers.c"""

# Lowest: 10^19 of it is less than half of the least double, so nothing below is ever multiplied.
# Highest: what brings the least double to 17 digits.
LOWEST, HIGHEST = -342, 324


def top_128_bits(exponent):
    """The first 128 bits of 10^exponent, which are those of 5^exponent, rounded down."""
    power = 5 ** abs(exponent)
    length = power.bit_length()
    if exponent >= 0:
        return power >> (length - 128) if length > 128 else power << (128 - length)
    quotient = (1 << (length + 128)) // power
    return quotient >> (quotient.bit_length() - 128)


print("/* SPDX-License-Identifier: LGPL-2.1-or-later */")
print("/* Made by number-powers.py. */")
print()
print('#include "procfun/codecs/number.h"')
print()
print("const guint64 wire_powers_of_ten[][2] = {")
for exponent in range(LOWEST, HIGHEST + 1):
    bits = top_128_bits(exponent)
    high, low = bits >> 64, bits & ((1 << 64) - 1)
    print(f"  {{ G_GUINT64_CONSTANT (0x{high:016x}), G_GUINT64_CONSTANT (0x{low:016x}) }}, /* {exponent} */")
print("};")
