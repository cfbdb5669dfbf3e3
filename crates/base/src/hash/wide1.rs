//! SHA-1 (FIPS 180-4, section 6.1.2) of four messages side by side.

use super::lanes::{LANES, Lanes, STRIDE};
use super::many::Wide;

/// Where four SHA-1 stand.
pub(super) struct Wide1<L>([L; 5]);

impl<L: Lanes> Wide for Wide1<L> {
    type Digest = super::Digest1;

    fn start() -> Self {
        const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self(START.map(L::splat))
    }

    fn compress(&mut self, parts: [&[u8; STRIDE]; LANES]) {
        let words = schedule(L::gather(parts));
        let (mut now, (phases, _)) = (self.0, words.as_chunks::<20>());
        now = rounds(now, &phases[0], 0x5a82_7999, |b, c, d| b.select(c, d));
        now = rounds(now, &phases[1], 0x6ed9_eba1, |b, c, d| b.xor(c).xor(d));
        now = rounds(now, &phases[2], 0x8f1b_bcdc, |b, c, d| b.xor(c).select(d, b));
        now = rounds(now, &phases[3], 0xca62_c1d6, |b, c, d| b.xor(c).xor(d));
        for (sum, part) in self.0.iter_mut().zip(now) {
            *sum = sum.add(part);
        }
    }

    fn finish(self) -> [Self::Digest; LANES] {
        let words = self.0.map(L::words);
        core::array::from_fn(|lane| {
            let mut digest = [0; 20];
            for (bytes, words) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&words) {
                *bytes = words[lane].to_be_bytes();
            }
            digest
        })
    }
}

#[inline(always)]
fn schedule<L: Lanes>(first: [L; 16]) -> [L; 80] {
    let mut words = [first[0]; 80];
    words[..16].copy_from_slice(&first);
    for at in 16..80 {
        let mixed = words[at - 3].xor(words[at - 8]).xor(words[at - 14]).xor(words[at - 16]);
        words[at] = mixed.rotate_left::<1, 31>();
    }
    words
}

/// One of the four phases: twenty rounds with the same constant and the same function.
#[inline(always)]
fn rounds<L: Lanes>(
    [mut a, mut b, mut c, mut d, mut e]: [L; 5],
    words: &[L; 20],
    constant: u32,
    mix: impl Fn(L, L, L) -> L,
) -> [L; 5] {
    let constant = L::splat(constant);
    for word in words {
        let next = a.rotate_left::<5, 27>().add(mix(b, c, d)).add(e.add(constant).add(*word));
        (e, d, c, b, a) = (d, c, b.rotate_left::<30, 2>(), a, next);
    }
    [a, b, c, d, e]
}
