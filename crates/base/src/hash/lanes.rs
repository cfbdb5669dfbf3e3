//! Four 32-bit words side by side, one of each of four messages, and what SHA-1 and SHA-256 do to
//! them. Each target names the registers it has; every form gives the same words.

#[cfg(any(test, not(target_feature = "simd128")))]
mod plain;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(test)]
pub(super) use plain::Plain;
#[cfg(not(target_feature = "simd128"))]
pub(super) use plain::Plain as Best;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd128::Simd128 as Best;

/// Messages hashed side by side.
pub(super) const LANES: usize = 4;
/// Bytes of a message that one round of compression takes, the same for both hashes.
pub(super) const STRIDE: usize = 64;

/// Four words side by side.
pub(super) trait Lanes: Copy {
    /// The same word in every lane.
    fn splat(word: u32) -> Self;
    /// A word a lane.
    fn words(self) -> [u32; LANES];
    /// The big-endian words of four parts: one result a word, one lane a part.
    fn gather(parts: [&[u8; STRIDE]; LANES]) -> [Self; 16];
    /// Sum that wraps.
    fn add(self, other: Self) -> Self;
    /// Bits set in either and not in both.
    fn xor(self, other: Self) -> Self;
    /// Bits set in both.
    fn and(self, other: Self) -> Self;
    /// Bits of `one` where this has ones, of `zero` elsewhere.
    fn select(self, one: Self, zero: Self) -> Self {
        zero.xor(self.and(one.xor(zero)))
    }
    /// Shifted right, with zeros from the left.
    fn shift_right<const BITS: i32>(self) -> Self;
    /// Rotated left. `BACK` is 32 less `BITS`, as long as constants cannot be reckoned with.
    fn rotate_left<const BITS: i32, const BACK: i32>(self) -> Self;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on words that differ in each lane, flattened.
    fn everything<L: Lanes>() -> Vec<u32> {
        let bytes: Vec<u8> = (0..256_u32).map(|n| (n * 37) as u8).collect();
        let (parts, _) = bytes.as_chunks::<STRIDE>();
        let rows = L::gather([&parts[0], &parts[1], &parts[2], &parts[3]]);
        let (a, b, c) = (rows[0], rows[7], rows[15]);
        let done = [
            a.add(b),
            a.xor(b),
            a.and(b),
            a.select(b, c),
            a.shift_right::<3>(),
            a.rotate_left::<5, 27>(),
            L::splat(0x8000_0001),
        ];
        rows.into_iter().chain(done).flat_map(Lanes::words).collect()
    }

    #[test]
    fn the_registers_of_this_target_give_the_words_that_plain_code_gives() {
        assert_eq!(everything::<Best>(), everything::<Plain>());
    }

    #[test]
    fn gathering_puts_word_n_of_each_part_into_row_n() {
        let parts: [[u8; STRIDE]; LANES] =
            core::array::from_fn(|lane| core::array::from_fn(|at| (lane * STRIDE + at) as u8));
        let rows = Best::gather([&parts[0], &parts[1], &parts[2], &parts[3]]);
        let first = [0x0001_0203, 0x4041_4243, 0x8081_8283, 0xc0c1_c2c3];
        assert_eq!(rows[0].words(), first);
        assert_eq!(rows[15].words(), first.map(|word| word + 0x3c3c_3c3c));
    }
}
