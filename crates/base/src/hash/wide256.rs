//! SHA-256 (FIPS 180-4, section 6.2.2) of four messages side by side.

use super::lanes::{LANES, Lanes, STRIDE};
use super::many::Wide;

/// Fractions of the cube roots of the first 64 primes (FIPS 180-4, section 4.2.2).
const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Where four SHA-256 stand.
pub(super) struct Wide256<L>([L; 8]);

impl<L: Lanes> Wide for Wide256<L> {
    type Digest = super::Digest256;

    fn start() -> Self {
        const START: [u32; 8] = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        Self(START.map(L::splat))
    }

    fn compress(&mut self, parts: [&[u8; STRIDE]; LANES]) {
        let words = schedule(L::gather(parts));
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.0;
        for (word, constant) in words.iter().zip(ROUND) {
            let chosen = e.select(f, g);
            let added = h.add(sum1(e)).add(chosen).add(word.add(L::splat(constant)));
            let most = a.xor(b).select(c, b);
            let next = added.add(sum0(a)).add(most);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.add(added), c, b, a, next);
        }
        for (sum, part) in self.0.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *sum = sum.add(part);
        }
    }

    fn finish(self) -> [Self::Digest; LANES] {
        let words = self.0.map(L::words);
        core::array::from_fn(|lane| {
            let mut digest = [0; 32];
            for (bytes, words) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&words) {
                *bytes = words[lane].to_be_bytes();
            }
            digest
        })
    }
}

#[inline(always)]
fn schedule<L: Lanes>(first: [L; 16]) -> [L; 64] {
    let mut words = [first[0]; 64];
    words[..16].copy_from_slice(&first);
    for at in 16..64 {
        let (old, new) = (words[at - 15], words[at - 2]);
        let old = old.rotate_left::<25, 7>().xor(old.rotate_left::<14, 18>());
        let old = old.xor(words[at - 15].shift_right::<3>());
        let new = new.rotate_left::<15, 17>().xor(new.rotate_left::<13, 19>());
        let new = new.xor(words[at - 2].shift_right::<10>());
        words[at] = words[at - 16].add(old).add(words[at - 7]).add(new);
    }
    words
}

#[inline(always)]
fn sum0<L: Lanes>(a: L) -> L {
    a.rotate_left::<30, 2>().xor(a.rotate_left::<19, 13>()).xor(a.rotate_left::<10, 22>())
}

#[inline(always)]
fn sum1<L: Lanes>(e: L) -> L {
    e.rotate_left::<26, 6>().xor(e.rotate_left::<21, 11>()).xor(e.rotate_left::<7, 25>())
}
