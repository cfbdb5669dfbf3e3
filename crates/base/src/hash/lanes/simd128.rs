//! Lanes in the 128-bit registers of wasm. Every intrinsic used takes values, none a pointer, so
//! nothing here is unsafe.

use core::arch::wasm32::{
    i8x16_shuffle, i64x2_shuffle, u32x4_add, u32x4_extract_lane, u32x4_shl, u32x4_shr, u32x4_splat,
    u64x2, v128, v128_and, v128_bitselect, v128_or, v128_xor,
};

use super::{LANES, Lanes, STRIDE};

/// Four words in a register.
#[derive(Clone, Copy)]
pub(in super::super) struct Simd128(v128);

impl Lanes for Simd128 {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(u32x4_splat(word))
    }

    #[inline(always)]
    fn words(self) -> [u32; LANES] {
        [
            u32x4_extract_lane::<0>(self.0),
            u32x4_extract_lane::<1>(self.0),
            u32x4_extract_lane::<2>(self.0),
            u32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    fn gather(parts: [&[u8; STRIDE]; LANES]) -> [Self; 16] {
        let quads = parts.map(|part| part.as_chunks::<16>().0);
        let mut rows = [Self::splat(0); 16];
        for (at, rows) in rows.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let [a, b, c, d] = quads.map(|quads| load(&quads[at]));
            let (ab_low, ab_high) = (pair_low(a, b), pair_high(a, b));
            let (cd_low, cd_high) = (pair_low(c, d), pair_high(c, d));
            *rows = [
                Self(i64x2_shuffle::<0, 2>(ab_low, cd_low)),
                Self(i64x2_shuffle::<1, 3>(ab_low, cd_low)),
                Self(i64x2_shuffle::<0, 2>(ab_high, cd_high)),
                Self(i64x2_shuffle::<1, 3>(ab_high, cd_high)),
            ];
        }
        rows
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(u32x4_add(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    fn select(self, one: Self, zero: Self) -> Self {
        Self(v128_bitselect(one.0, zero.0, self.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        Self(u32x4_shr(self.0, BITS as u32))
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32, const BACK: i32>(self) -> Self {
        Self(v128_or(u32x4_shl(self.0, BITS as u32), u32x4_shr(self.0, BACK as u32)))
    }
}

#[inline(always)]
fn load(quad: &[u8; 16]) -> v128 {
    let (halves, _) = quad.as_chunks::<8>();
    u64x2(u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1]))
}

/// Words 0 and 1 of both, in turns and with their bytes turned round.
#[inline(always)]
fn pair_low(a: v128, b: v128) -> v128 {
    i8x16_shuffle::<3, 2, 1, 0, 19, 18, 17, 16, 7, 6, 5, 4, 23, 22, 21, 20>(a, b)
}

/// The same of words 2 and 3.
#[inline(always)]
fn pair_high(a: v128, b: v128) -> v128 {
    i8x16_shuffle::<11, 10, 9, 8, 27, 26, 25, 24, 15, 14, 13, 12, 31, 30, 29, 28>(a, b)
}
