//! Lanes as an array, for targets without registers of their own; what the others are tested
//! against.

use super::{LANES, Lanes, STRIDE};

/// Four words in an array.
#[derive(Clone, Copy)]
pub(in super::super) struct Plain([u32; LANES]);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, with: impl Fn(u32, u32) -> u32) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([with(a, e), with(b, f), with(c, g), with(d, h)])
    }
}

impl Lanes for Plain {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self([word; LANES])
    }

    #[inline(always)]
    fn words(self) -> [u32; LANES] {
        self.0
    }

    #[inline(always)]
    fn gather(parts: [&[u8; STRIDE]; LANES]) -> [Self; 16] {
        let words = parts.map(|part| part.as_chunks::<4>().0);
        core::array::from_fn(|at| Self(words.map(|words| u32::from_be_bytes(words[at]))))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        Self(self.0.map(
            #[inline(always)]
            |word| word >> BITS,
        ))
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32, const BACK: i32>(self) -> Self {
        Self(self.0.map(|word| word << BITS | word >> BACK))
    }
}
